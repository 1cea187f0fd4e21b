import { describe, expect, test } from "vitest";
import { ReadinessGate } from "../../../../compositor-page/program/readiness-gate.ts";
import type { PersonId } from "../../../../worker/protocol/roles.ts";

const host = { id: "host", expected: true } as const;
const guest = { id: "guest", expected: true } as const;

function look(
	gate: ReadinessGate,
	people: Parameters<ReadinessGate["look"]>[0]["people"],
	ready: PersonId[],
	soundKnown = true,
): boolean {
	return gate.look({ people, isReady: (id) => ready.includes(id), soundKnown });
}

describe("ReadinessGate", () => {
	test("opens once, with the first output frame that shows everyone who is expected", () => {
		const gate = new ReadinessGate();
		expect(look(gate, [host, guest], [])).toBe(false);
		expect(gate.waitingFor).toEqual(["host", "guest"]);
		expect(look(gate, [host, guest], ["host"])).toBe(false);
		expect([gate.open, gate.waitingFor]).toEqual([false, ["guest"]]);
		expect(look(gate, [host, guest], ["host", "guest"])).toBe(true);
		expect([gate.open, gate.waitingFor]).toEqual([true, []]);
		expect(look(gate, [host, guest], ["host", "guest"])).toBe(false);
	});

	test("stays open whoever goes or comes later", () => {
		const gate = new ReadinessGate();
		look(gate, [host], ["host"]);
		expect(look(gate, [host, guest], [])).toBe(false);
		expect([gate.open, gate.waitingFor]).toEqual([true, []]);
	});

	test("does not wait for who is not expected, nor any more for who has left", () => {
		const gate = new ReadinessGate();
		expect(look(gate, [host, { ...guest, expected: false }], [])).toBe(false);
		expect(gate.waitingFor).toEqual(["host"]);
		expect(look(gate, [host, guest], ["host"])).toBe(false);
		expect(look(gate, [host], ["host"])).toBe(true);
		expect(look(new ReadinessGate(), [{ ...host, expected: false }], [])).toBe(true);
	});

	test("waits for the program's sound to be configured", () => {
		const gate = new ReadinessGate();
		expect(look(gate, [host], ["host"], false)).toBe(false);
		expect([gate.open, gate.waitingFor]).toEqual([false, []]);
		expect(look(gate, [host], ["host"], true)).toBe(true);
	});
});
