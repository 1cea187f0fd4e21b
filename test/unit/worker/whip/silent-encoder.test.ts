import { beforeEach, expect, test } from "vitest";
import type { BroadcastControl } from "../../../../worker/broadcast/broadcast-control.ts";
import { ENCODER_SILENT_MS } from "../../../../worker/broadcast/call-media.ts";
import type { CallWord } from "../../../../worker/broadcast/call-word.ts";
import type { PersonId } from "../../../../worker/protocol/roles.ts";
import { live, type World } from "../broadcast-world.ts";

let world: World;
let control: BroadcastControl;

async function say(word: CallWord, nowMs: number): Promise<void> {
	await control.callChanged(word, nowMs);
	await control.settle(nowMs);
}

const fence = () => control.record?.lease.fence ?? Number.NaN;
const sees = (people: PersonId[], nowMs: number) => say({ kind: "real-time-media", fence: fence(), people }, nowMs);
const inCall = () => control.record?.call.map(({ person }) => person);

/** Rings whenever the object asked to be woken, up to that time. */
async function ringUntil(timeMs: number): Promise<void> {
	while (world.wakeAtMs !== undefined && world.wakeAtMs <= timeMs) {
		await control.settle(world.wakeAtMs);
	}
}

beforeEach(async () => {
	({ world, control } = await live());
	world.publishing = ["composite/main"];
	const host = { person: "host", connection: "w", leg: "whip", realTime: true, streams: false, ver: 1 } as const;
	await say({ kind: "joined", member: host }, 10_000);
	await control.leaseChanged({ leaseId: "l", fence: fence(), state: "running", reason: "test" }, 11_000);
	await say({ kind: "compositor", fence: fence() }, 11_000);
	await control.streamChanged({ stream: "composite/main", state: "live", fence: fence() }, 11_000);
	await control.settle(11_000);
});

test("an encoder that sends nothing is out of the call after half a minute, without anybody asking", async () => {
	await ringUntil(10_000 + ENCODER_SILENT_MS - 1);
	expect(inCall()).toEqual(["host"]);
	await ringUntil(10_000 + ENCODER_SILENT_MS);
	expect(inCall()).toEqual([]);
	expect(control.record?.leftAtMs.host).toBe(10_000 + ENCODER_SILENT_MS);
});

test("an encoder whose media comes stays, and half a minute after its last it has left", async () => {
	await sees(["host"], 12_000);
	await ringUntil(500_000);
	expect(inCall()).toEqual(["host"]);
	await sees([], 500_000);
	await ringUntil(500_000 + ENCODER_SILENT_MS - 1);
	expect(inCall()).toEqual(["host"]);
	await ringUntil(500_000 + ENCODER_SILENT_MS);
	expect(inCall()).toEqual([]);
});

test("an encoder whose line comes back in time has not left", async () => {
	await sees(["host"], 12_000);
	await sees([], 20_000);
	await sees(["host"], 20_000 + ENCODER_SILENT_MS - 1);
	await ringUntil(300_000);
	expect(inCall()).toEqual(["host"]);
});

test("people have a control socket to be missed by: their silence is no leaving", async () => {
	const guest = { person: "guest", connection: "g", leg: "real-time", realTime: true, streams: false, ver: 1 } as const;
	await say({ kind: "joined", member: guest }, 12_000);
	await ringUntil(300_000);
	expect(inCall()).toEqual(["guest"]);
});
