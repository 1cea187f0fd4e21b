import { expect, test } from "vitest";
import { TEST_MEDIA_MS, testDestination } from "../../../egress/destination-test.ts";
import { holdTags } from "../../../egress/hold-stream.ts";
import { PublishRejection } from "../../../rtmp/acceptor.ts";
import {
	DESTINATION_TEST_WITHIN_MS,
	destinationTestReportSchema,
	type PublishTarget,
} from "../../../worker/protocol/egress-jobs.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { FakeDestination, inWords, type Manner } from "./fake-destination.ts";

const KEY = "s3cret-key";
const TARGET: PublishTarget = {
	url: "rtmp://203.0.113.7/live",
	streamKey: KEY,
	...{ width: 1280, height: 720, frameRate: 30, videoBitrateBps: 3_000_000, audioBitrateBps: 128_000 },
};

/** What a test says of a destination of that manner, and how long it took by the clock. */
async function tested(manner: Manner, target = TARGET) {
	const clock = new ManualClock();
	const destination = new FakeDestination(clock, manner);
	const beganMs = clock.nowMs();
	const testing = testDestination(target, { dial: destination.dial, clock }).then((report) => ({
		report: destinationTestReportSchema.parse(report),
		tookMs: clock.nowMs() - beganMs,
	}));
	await clock.advance(2 * DESTINATION_TEST_WITHIN_MS);
	return { ...(await testing), destination };
}

test("publishes two seconds of hold in real time, and takes leave", async () => {
	const { report, tookMs, destination } = await tested({ kind: "accept" });
	expect(report).toMatchObject({ ok: true });
	expect(report.error).toBeUndefined();
	expect(report.steps.map(({ step }) => step)).toEqual(["dial", "handshake", "connect", "publish", "media", "end"]);
	expect(report.steps.find(({ step }) => step === "media")?.ms).toBe(TEST_MEDIA_MS);
	expect(tookMs).toBeGreaterThanOrEqual(TEST_MEDIA_MS);
	expect(tookMs).toBeLessThan(DESTINATION_TEST_WITHIN_MS);
	expect(destination.received.filter((name) => name.startsWith("key@"))).toEqual([
		"key@0",
		"key@500",
		"key@1000",
		"key@1500",
	]);
	expect(destination.received.filter((name) => name.startsWith("audio@"))).toHaveLength(94);
	expect(destination.session.endings).toEqual(["the publisher ended the stream"]);
	expect(report.bytes).toBeGreaterThan(4 * 3_600);
});

const REFUSAL = new PublishRejection("NetStream.Publish.BadName", `no such key: ${KEY}`);

test.each([
	["is not there", { kind: "unreachable" }, [], false, /ECONNREFUSED/],
	["never answers", { kind: "silent" }, ["dial"], false, /handshake/],
	["refuses the key", { kind: "reject", error: REFUSAL }, ["dial", "handshake", "connect"], true, /no such key/],
] satisfies [string, Manner, string[], boolean, RegExp][])(
	"a destination that %s: how far it came and why, within 15 s and without the key",
	async (_name, manner, steps, refused, error) => {
		const { report, tookMs } = await tested(manner);
		expect(report).toMatchObject({ ok: false, refused, error: expect.stringMatching(error) });
		expect(report.steps.map(({ step }) => step)).toEqual(steps);
		expect(tookMs).toBeLessThanOrEqual(DESTINATION_TEST_WITHIN_MS);
		expect(JSON.stringify(report)).not.toContain(KEY);
	},
);

test("one that says yes and closes has refused, also where the next write is what finds out", async () => {
	const clock = new ManualClock();
	const destination = new FakeDestination(clock, { kind: "accept" });
	const testing = testDestination(TARGET, {
		clock,
		dial: async (...args) => {
			const line = await destination.dial(...args);
			const writer = line.writable.getWriter();
			const writable = new WritableStream<Uint8Array>({
				async write(bytes) {
					if (destination.received.length > 3) {
						// As by a reset: what is written fails first, and what is read a little later.
						setTimeout(() => line.close(), 20);
						throw new Error("ECONNRESET");
					}
					await writer.write(bytes);
				},
			});
			return { readable: line.readable, writable, close: () => line.close() };
		},
	});
	await clock.advance(2_000);
	await new Promise((resolve) => setTimeout(resolve, 50));
	await clock.advance(DESTINATION_TEST_WITHIN_MS);
	expect(await testing).toMatchObject({ ok: false, refused: true, error: expect.stringMatching(/Publish.Start/) });
});

test("what a platform says of a line is shown without the key", async () => {
	const dial = async () => {
		throw new Error(`connect rtmp://203.0.113.7/live/${KEY} failed`);
	};
	const { error } = await testDestination(TARGET, { dial, clock: new ManualClock() });
	expect(error).toContain("failed");
	expect(error).not.toContain(KEY);
});

test("an address that is none is refused without dialling", async () => {
	const { report, destination } = await tested({ kind: "accept" }, { ...TARGET, url: "https://example.com/live" });
	expect(report).toMatchObject({ ok: false, refused: true, steps: [], bytes: 0 });
	expect(destination.dialled).toEqual([]);
});

test("hold begins with its configurations and rises in time", () => {
	const tags = holdTags(TARGET, 1_000);
	expect(tags.slice(0, 4).map(inWords)).toEqual(["video-config@0", "audio-config@0", "key@0", "audio@0"]);
	const times = tags.map(({ timestampMs }) => timestampMs);
	expect(times).toEqual([...times].sort((a, b) => a - b));
	expect(Math.max(...times)).toBeLessThan(1_000);
});
