import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ProgramPublisher } from "../../../../compositor-page/program/program-publisher.ts";
import type { EncodedVideoFrame } from "../../../../media/encoded-frame.ts";
import { tagKind } from "../../../../media/flv/tag-kind.ts";
import { isFlvHeader, readSingleTag } from "../../../../media/flv/tag-writer.ts";
import { CLOSE } from "../../../../worker/protocol/close-codes.ts";
import { FakeWebSocket } from "../../sockets/fake-web-socket.ts";

const { latest } = FakeWebSocket;
const FRAME_US = 33_333;
const HOST = { hostMs: 70, isNew: true };

beforeEach(() => {
	vi.useFakeTimers();
	vi.stubGlobal("WebSocket", FakeWebSocket);
	FakeWebSocket.made = [];
});
afterEach(() => {
	vi.useRealTimers();
	vi.unstubAllGlobals();
});

class Rig {
	readonly said: string[] = [];
	nowUs = 0;
	/** Of the next frame. */
	number = 0;
	readonly publisher = new ProgramPublisher({
		...{ apiUrl: "http://127.0.0.1", broadcastId: "b1", token: "a.b.c" },
		onKeyFrameWanted: () => this.said.push("key frame wanted"),
		onKeyFrameRequest: () => {},
		onProblem: (reason) => this.said.push(`problem: ${reason}`),
		onRefused: (reason) => this.said.push(`refused: ${reason}`),
		nowUs: () => this.nowUs,
	});

	constructor() {
		this.video("key", Uint8Array.of(1, 77, 64, 31));
		const silence = { ptsUs: 0, dtsUs: 0, data: Uint8Array.of(0x21) };
		this.publisher.sendAudio({
			track: "audio",
			codec: "aac",
			keyFrame: true,
			config: Uint8Array.of(0x11, 0x90),
			...silence,
		});
	}

	video(kind: "key" | "inter", config?: Uint8Array): void {
		this.nowUs += FRAME_US;
		const ptsUs = this.number * FRAME_US;
		this.number += 1;
		const frame: EncodedVideoFrame = {
			...{ track: "video", codec: "avc", keyFrame: kind === "key", ptsUs, dtsUs: ptsUs, data: new Uint8Array(100) },
			...(config === undefined ? {} : { config }),
		};
		this.publisher.sendVideo(frame, HOST);
	}

	/** What a connection got, in words. */
	sent(socket = latest()): string[] {
		return socket.sent.map((message) =>
			typeof message === "string" ? "shows" : isFlvHeader(message) ? "header" : tagKind(readSingleTag(message)),
		);
	}
}

const OPENING = ["header", "audio-config", "video-config", "shows", "video-key"];

describe("ProgramPublisher", () => {
	test("has no connection before it is told to publish, and one however often it is told", () => {
		const rig = new Rig();
		expect(FakeWebSocket.made).toEqual([]);
		rig.publisher.start(0);
		rig.publisher.start(0);
		expect(FakeWebSocket.made).toHaveLength(1);
		latest().accept();
		rig.video("inter");
		rig.video("key");
		rig.video("inter");
		expect(rig.sent()).toEqual([...OPENING, "video-inter"]);
		expect(rig.said).toEqual(["key frame wanted"]);
	});

	test("opens with a key frame of the program's time that it was given, and with none made before", () => {
		const rig = new Rig();
		rig.publisher.start(3 * FRAME_US);
		latest().accept();
		rig.video("key");
		rig.video("key");
		expect(rig.sent()).toEqual(["header"]);
		rig.video("inter");
		expect(rig.said).toEqual(["key frame wanted", "key frame wanted"]);
		rig.video("key");
		expect(rig.sent()).toEqual(OPENING);
	});

	test("wants a key frame when a line that was too slow has drained, once", () => {
		const rig = new Rig();
		rig.publisher.start(0);
		latest().accept();
		rig.video("key");
		latest().bufferedAmount = 1e6;
		for (let left = 1e6; left > 200_000; left -= 100_000) {
			latest().bufferedAmount = left;
			rig.video("inter");
		}
		expect(rig.said).toEqual(["key frame wanted"]);
		latest().bufferedAmount = 0;
		rig.video("inter");
		rig.video("inter");
		expect(rig.said).toEqual(["key frame wanted", "key frame wanted"]);
		rig.video("key");
		expect(rig.sent().slice(5)).toEqual(["audio-config", "video-config", "shows", "video-key"]);
	});

	test("makes another connection when the line takes nothing for 5 s, and begins it anew", () => {
		const rig = new Rig();
		rig.publisher.start(0);
		const first = latest();
		first.accept();
		rig.video("key");
		for (let frame = 0; frame < 200 && FakeWebSocket.made.length === 1; frame += 1) {
			// Exactly what is written waits: nothing goes.
			first.bufferedAmount = first.sent.reduce((sum, message) => sum + message.length, 0);
			rig.video("inter");
			vi.advanceTimersByTime(33);
		}
		expect(rig.said.at(-1)).toMatch(/^problem: program: connection lost \(expected the line/);
		expect(first.closedWith).toHaveLength(1);
		expect(rig.nowUs).toBeGreaterThan(5_000_000);
		vi.advanceTimersByTime(300);
		latest().accept();
		rig.video("key");
		expect(rig.sent()).toEqual(OPENING);
	});

	test.each(["takenOver", "ended"] as const)("never sends anything after %s, whatever it is told", (kind) => {
		const rig = new Rig();
		rig.publisher.start(0);
		latest().accept();
		rig.video("key");
		latest().end(CLOSE[kind].code, "it is over");
		const { length } = latest().sent;
		rig.publisher.start(0);
		for (let frame = 0; frame < 100; frame += 1) {
			rig.video(frame % 10 === 0 ? "key" : "inter");
			vi.advanceTimersByTime(1_000);
		}
		expect([FakeWebSocket.made.length, latest().sent.length]).toEqual([1, length]);
		expect(rig.said.filter((each) => each.startsWith("refused"))).toEqual(["refused: it is over"]);
	});

	test("never connects again once closed, also while it waits to", () => {
		const rig = new Rig();
		rig.publisher.start(0);
		latest().end(1006);
		rig.publisher.close();
		rig.publisher.start(0);
		rig.video("key");
		vi.advanceTimersByTime(60_000);
		expect(FakeWebSocket.made).toHaveLength(1);
	});
});
