import { describe, expect, test } from "vitest";
import type { LineFigures } from "../../../../web/lib/peers/line-figures.ts";
import { SILENT_AFTER_MS } from "../../../../web/lib/peers/line-health.ts";
import { PeerLine } from "../../../../web/lib/peers/peer-line.ts";
import type { Signal } from "../../../../worker/protocol/signaling.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { FakeConnection } from "./fakes/fake-platform.ts";

const STEP_MS = 100;

function opened(offers: boolean) {
	const clock = new ManualClock();
	const connection = new FakeConnection("a");
	const sent: Signal[] = [];
	const figures: LineFigures[] = [];
	const line = new PeerLine({
		clock,
		connection: connection as unknown as RTCPeerConnection,
		offers,
		send: (signal) => void sent.push(signal),
		onState: () => {},
		onFigures: (each) => void figures.push(each),
		onNegotiated: () => {},
		onBye: () => {},
		onProblem: (error) => {
			throw error;
		},
	});
	connection.to("connected");
	/** @param bytesPerStep what comes meanwhile */
	const lasts = async (ms: number, bytesPerStep: number) => {
		for (let passedMs = 0; passedMs < ms; passedMs += STEP_MS) {
			connection.bytesReceived += bytesPerStep;
			await clock.advance(STEP_MS);
		}
	};
	return { line, connection, sent, figures, lasts };
}

describe("PeerLine", () => {
	test("looks for new ways when nothing comes any more, once", async () => {
		const { line, connection, lasts } = opened(true);
		await lasts(5_000, 1_000);
		expect(connection.restarts).toBe(0);
		await lasts(SILENT_AFTER_MS + 1_000, 0);
		expect(connection.restarts).toBe(1);
		await lasts(20_000, 1_000);
		expect(connection.restarts).toBe(1);
		line.close();
	});

	test("who only answers asks the other one for it", async () => {
		const { line, connection, sent, lasts } = opened(false);
		await lasts(2_000, 1_000);
		await lasts(SILENT_AFTER_MS + 1_000, 0);
		expect(connection.restarts).toBe(0);
		expect(sent).toEqual([{ kind: "restart" }]);
		line.close();
	});

	test("looks at the figures of a line that works, and no more of one that does not or is closed", async () => {
		const { line, connection, figures, lasts } = opened(true);
		await lasts(2_000, 1_000);
		expect(figures.length).toBeGreaterThan(2);
		connection.to("disconnected");
		const before = figures.length;
		await lasts(2_000, 1_000);
		expect(figures.length).toBe(before);
		connection.to("connected");
		await lasts(1_000, 1_000);
		expect(figures.length).toBeGreaterThan(before);
		line.close();
		const atEnd = figures.length;
		await lasts(2_000, 1_000);
		expect(figures.length).toBe(atEnd);
	});
});
