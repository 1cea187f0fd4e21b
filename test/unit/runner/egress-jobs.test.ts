import type { lookup } from "node:dns";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import type { SubscriptionSocket } from "../../../egress/router-subscription.ts";
import type { FlvTag } from "../../../media/flv/tag.ts";
import { flvHeader } from "../../../media/flv/tag-writer.ts";
import { PublishRejection } from "../../../rtmp/acceptor.ts";
import { parseRtmpUrl } from "../../../rtmp/url.ts";
import { EgressJobs } from "../../../runner/egress/egress-jobs.ts";
import { nodeDial } from "../../../runner/egress/node-dial.ts";
import { CLOSE } from "../../../worker/protocol/close-codes.ts";
import { EGRESS_KEPT_WITHOUT_POOL_MS, type EgressJob, MAX_EGRESS_JOBS } from "../../../worker/protocol/egress-jobs.ts";
import type { RunnerMessage } from "../../../worker/protocol/pool-messages.ts";
import { ManualClock, settle, until } from "../../support/manual-clock.ts";
import { FakeDestination, type Manner } from "../worker-media/fake-destination.ts";
import { audioConfig, interFrame, keyFrame, message, videoConfig } from "../worker-media/wsflv-fixtures.ts";

const KEY = "s3cret-key";
const GOODBYE = "the publisher ended the stream";

function job(more: Partial<EgressJob> = {}): EgressJob {
	return {
		jobId: "b/d",
		fence: 1,
		work: "publish",
		broadcastId: "b",
		stream: "program/main",
		token: "token-1",
		target: {
			url: "rtmp://203.0.113.7/live",
			streamKey: KEY,
			...{ width: 1280, height: 720, frameRate: 25, videoBitrateBps: 3_000_000, audioBitrateBps: 128_000 },
		},
		allowPrivate: true,
		...more,
	};
}

/** The Router's end of a media socket. */
class FakeProgram implements SubscriptionSocket {
	readonly acks: string[] = [];
	closedWith: number | undefined;
	readonly #listeners = new Map<string, ((event: never) => void)[]>();

	send(text: string): void {
		this.acks.push(text);
	}

	close(code: number): void {
		this.closedWith = code;
	}

	addEventListener(type: string, listener: (event: never) => void): void {
		this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
	}

	emit(type: "message" | "close", event: object): void {
		for (const listener of this.#listeners.get(type) ?? []) {
			listener(event as never);
		}
	}

	tags(...tags: FlvTag[]): void {
		for (const tag of tags) {
			this.emit("message", { data: message(tag) });
		}
	}

	/** A group of pictures so far. */
	begin(atMs = 0): void {
		this.emit("message", { data: flvHeader().slice().buffer });
		this.tags(videoConfig(atMs), audioConfig(atMs), keyFrame(atMs), interFrame(atMs + 40));
	}
}

function runner(...manners: Manner[]) {
	const clock = new ManualClock();
	const destination = new FakeDestination(clock, ...manners);
	const sent: RunnerMessage[] = [];
	const log: string[] = [];
	const programs: FakeProgram[] = [];
	const tokens: string[] = [];
	let heardAtMs = clock.nowMs();
	const jobs = new EgressJobs({
		apiUrl: "http://127.0.0.1:1",
		send: (word) => sent.push(word),
		poolHeardAtMs: () => heardAtMs,
		log: (line) => log.push(line),
		clock,
		random: () => 0.5,
		dial: () => destination.dial,
		openProgram: async ({ token }) => {
			tokens.push(token);
			const program = new FakeProgram();
			programs.push(program);
			return program;
		},
	});
	const states = () => sent.flatMap((word) => (word.type === "egress-status" ? [word.report.status.state] : []));
	const live = async () => {
		await until(() => programs.length > 0, "a subscription");
		await settle();
		programs.at(-1)?.begin();
		await until(() => states().at(-1) === "live", "live");
	};
	const hear = () => {
		heardAtMs = clock.nowMs();
	};
	return { clock, destination, sent, log, programs, tokens, jobs, states, live, hear };
}

test("publishes the program that it subscribes to, and says how it goes once a second", async () => {
	const { clock, destination, jobs, sent, states, live, hear } = runner();
	jobs.start(job());
	await live();
	await until(() => destination.received.length === 5, "five tags");
	expect(destination.received).toEqual(["metadata", "video-config@0", "audio-config@0", "key@0", "inter@40"]);
	expect(jobs.held()).toEqual([{ jobId: "b/d", fence: 1 }]);
	const before = states().length;
	for (let second = 0; second < 5; second++) {
		hear();
		await clock.advance(1_000);
	}
	expect(states().length - before).toBe(5);
	expect(sent.at(-1)).toMatchObject({ jobId: "b/d", fence: 1, report: { timeMs: expect.any(Number) } });
	await jobs.close("test");
});

test("says goodbye when told to end, and only then that it has stopped", async () => {
	const { destination, jobs, states, live } = runner();
	jobs.start(job());
	await live();
	jobs.stop({ jobId: "b/d", fence: 1 }, true);
	await until(() => states().at(-1) === "stopped", "stopped");
	expect(destination.session.endings).toEqual([GOODBYE]);
	expect(jobs.held()).toEqual([]);
});

test("says goodbye when the broadcast ends", async () => {
	const { destination, jobs, programs, states, live } = runner();
	jobs.start(job());
	await live();
	programs[0]?.emit("close", { code: CLOSE.ended.code, reason: "over" });
	await until(() => states().at(-1) === "stopped", "stopped");
	expect(destination.session.endings).toEqual([GOODBYE]);
});

test("says no goodbye when another is to go on, nor when the runner is stopped", async () => {
	for (const leave of ["drop", "close"] as const) {
		const { destination, jobs, sent, states, live } = runner();
		jobs.start(job());
		await live();
		if (leave === "drop") {
			jobs.stop({ jobId: "b/d", fence: 1 }, false);
		} else {
			await jobs.close("runner stops");
		}
		await until(() => destination.session.endings.length === 1, "the end of the line");
		expect(destination.session.endings).not.toContain(GOODBYE);
		expect(states()).not.toContain("stopped");
		expect(jobs.held()).toEqual([]);
		expect(sent.some(({ type }) => type === "egress-lost")).toBe(leave === "close");
	}
});

test("leaves its destinations when the pool was not heard of for 10 s, not before", async () => {
	const { clock, destination, jobs, sent, live } = runner();
	jobs.start(job());
	await live();
	await clock.advance(EGRESS_KEPT_WITHOUT_POOL_MS);
	expect(destination.session.endings).toEqual([]);
	await clock.advance(1_000);
	expect(destination.session.endings).toHaveLength(1);
	expect(destination.session.endings).not.toContain(GOODBYE);
	expect(sent.at(-1)).toMatchObject({ type: "egress-lost", jobId: "b/d", fence: 1 });
	await clock.advance(60_000);
	expect(clock.pending, "nothing goes on").toBe(0);
});

test("the same fence again brings a new token, a higher one another session, a lower one nothing", async () => {
	const { destination, jobs, programs, tokens, live } = runner();
	jobs.start(job());
	await live();
	jobs.start(job({ token: "token-2" }));
	programs[0]?.emit("close", { code: 1006 });
	expect(destination.sessions).toHaveLength(1);
	jobs.start(job({ fence: 3, token: "token-3" }));
	jobs.start(job({ fence: 2, token: "token-of-another-time" }));
	await until(() => tokens.includes("token-3"), "another subscription");
	await settle();
	programs.at(-1)?.begin();
	await until(() => destination.sessions.length === 2, "another session");
	expect(jobs.held()).toEqual([{ jobId: "b/d", fence: 3 }]);
	expect(tokens).not.toContain("token-of-another-time");
	await jobs.close("test");
});

test("subscribes again with the token it has by then", async () => {
	const { clock, jobs, programs, tokens, live, hear } = runner();
	jobs.start(job());
	await live();
	jobs.start(job({ token: "token-2" }));
	programs[0]?.emit("close", { code: 1006 });
	hear();
	await clock.advance(1_000);
	expect(tokens).toEqual(["token-1", "token-2"]);
	await jobs.close("test");
});

test("takes a refusal as the last word, and writes no key into log or report", async () => {
	const refusal = new PublishRejection("NetStream.Publish.BadName", `no such key: ${KEY}`);
	const { jobs, programs, sent, log, states } = runner({ kind: "reject", error: refusal });
	jobs.start(job());
	await until(() => programs.length > 0, "a subscription");
	await settle();
	programs[0]?.begin();
	await until(() => states().at(-1) === "refused", "refused");
	expect(jobs.held()).toEqual([]);
	expect(`${log.join("\n")}${JSON.stringify(sent)}`).not.toContain(KEY);
	expect(log.length).toBeGreaterThan(0);
});

test("takes so many at once and gives the next one back", async () => {
	const { jobs, sent } = runner();
	for (let at = 0; at <= MAX_EGRESS_JOBS; at++) {
		jobs.start(job({ jobId: `b/${at}` }));
	}
	expect(jobs.held()).toHaveLength(MAX_EGRESS_JOBS);
	expect(sent.filter(({ type }) => type === "egress-lost")).toMatchObject([{ jobId: `b/${MAX_EGRESS_JOBS}` }]);
	await jobs.close("test");
	jobs.start(job());
	expect(jobs.held()).toEqual([]);
});

test("tests a destination and reports", async () => {
	const { clock, destination, jobs, sent, hear } = runner();
	jobs.start(job({ jobId: "b/test-d", work: "test" }));
	for (let second = 0; second < 4; second++) {
		hear();
		await clock.advance(1_000);
	}
	expect(sent).toMatchObject([{ type: "egress-tested", jobId: "b/test-d", fence: 1, report: { ok: true } }]);
	expect(destination.session.endings).toEqual([GOODBYE]);
	expect(jobs.held()).toEqual([]);
});

// --- the way out ---------------------------------------------------------------------------------------------------------------

const NEVER = new AbortController().signal;

test("dials with Node's sockets", async () => {
	const server = createServer((socket) => socket.end("hello"));
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const address = server.address();
	const port = typeof address === "object" ? address?.port : undefined;
	const transport = await nodeDial({ allowPrivate: true })(parseRtmpUrl(`rtmp://127.0.0.1:${port}/app`, "k"), NEVER);
	let text = "";
	for await (const bytes of transport.readable) {
		text += new TextDecoder().decode(bytes);
	}
	expect(text).toBe("hello");
	transport.close();
	await new Promise((resolve) => server.close(resolve));
});

test.each(["rtmp://127.0.0.1/app", "rtmp://[::1]/app", "rtmp://169.254.169.254/app", "rtmp://localhost/app"])(
	"does not dial %s where private addresses are not allowed",
	async (url) => {
		await expect(nodeDial({ allowPrivate: false })(parseRtmpUrl(url, KEY), NEVER)).rejects.toMatchObject({
			name: "DestinationForbiddenError",
			message: expect.not.stringContaining(KEY),
		});
	},
);

test("does not dial a public name that resolves to private addresses, whatever else a resolver says", async () => {
	const resolve = ((_name: string, _options: object, done: (error: null, addresses: object[]) => void) =>
		done(null, [
			{ address: "10.0.0.7", family: 4 },
			{ address: "::ffff:127.0.0.1", family: 6 },
		])) as unknown as typeof lookup;
	const dial = nodeDial({ allowPrivate: false, resolve });
	await expect(dial(parseRtmpUrl("rtmp://rebound.example.com/app", KEY), NEVER)).rejects.toMatchObject({
		name: "DestinationForbiddenError",
		message: expect.stringContaining("rebound.example.com"),
	});
});

test("gives up dialling when told to", async () => {
	const signal = AbortSignal.abort(new Error("test: enough"));
	await expect(nodeDial({ allowPrivate: true })(parseRtmpUrl("rtmp://127.0.0.1/app", "k"), signal)).rejects.toThrow(
		"enough",
	);
});
