import { expect, test } from "vitest";
import { CONNECT_WITHIN_MS, DIAL_WITHIN_MS } from "../../../egress/destination-line.ts";
import { type EgressCarryOver, EgressSession } from "../../../egress/egress-session.ts";
import { MAX_QUEUE_MS } from "../../../egress/tag-queue.ts";
import type { FlvTag } from "../../../media/flv/tag.ts";
import { PublishRejection } from "../../../rtmp/acceptor.ts";
import type { PublishTarget } from "../../../worker/protocol/egress-jobs.ts";
import type { EgressStatus } from "../../../worker/protocol/egress-status.ts";
import { ManualClock, settle, until } from "../../support/manual-clock.ts";
import { FakeDestination, type Manner } from "./fake-destination.ts";
import { audioConfig, interFrame, keyFrame, message, sound, videoConfig } from "./wsflv-fixtures.ts";

const KEY = "s3cret-key?sig=abc";
/** Longer than a destination may take to refuse by closing. */
const SETTLED_MS = 4_000;

const TARGET: PublishTarget = {
	url: "rtmp://203.0.113.7/live",
	streamKey: KEY,
	width: 1280,
	height: 720,
	frameRate: 25,
	videoBitrateBps: 3_000_000,
	audioBitrateBps: 128_000,
};

function egress(
	manners: Manner[] = [],
	options: { clock?: ManualClock; target?: PublishTarget; carryOver?: EgressCarryOver } = {},
) {
	const clock = options.clock ?? new ManualClock();
	const destination = new FakeDestination(clock, ...manners);
	const changes: EgressStatus[] = [];
	const session = new EgressSession(options.target ?? TARGET, {
		dial: destination.dial,
		clock,
		random: () => 0.5,
		onChange: (status) => changes.push(status),
		...(options.carryOver !== undefined && { carryOver: options.carryOver }),
	});
	session.start();
	const push = (...tags: FlvTag[]) => {
		for (const tag of tags) {
			session.push(message(tag));
		}
	};
	const states = () => changes.map(({ state }) => state);
	const live = () => until(() => session.status().state === "live", "the session to be live");
	return { clock, destination, session, push, states, live };
}

/** Program from `fromMs` with a key frame each second and sound, fed at the clock's speed in steps of 200 ms. */
async function feed(
	clock: ManualClock,
	push: (...tags: FlvTag[]) => void,
	fromMs: number,
	seconds: number,
): Promise<void> {
	for (let ms = 0; ms < seconds * 1_000; ms += 40) {
		const atMs = fromMs + ms;
		push(ms % 1_000 === 0 ? keyFrame(atMs) : interFrame(atMs), sound(atMs + 5));
		if (ms % 200 === 160) {
			await clock.advance(200);
		}
	}
}

const CONFIGS = (ms: number) => [videoConfig(ms), audioConfig(ms)];

test("connects only once the program has a key frame", async () => {
	const { destination, session, push, states, clock } = egress();
	push(audioConfig(0), sound(0), sound(20));
	await clock.advance(60_000);
	expect(destination.dialled).toEqual([]);
	expect(states()).toEqual(["connecting"]);
	push(videoConfig(5_000), keyFrame(5_000));
	await until(() => session.status().state === "live", "live");
	expect(states()).toEqual(["connecting", "live"]);
	expect(destination.received).toContain("key@0");
	await session.stop();
});

test("begins with metadata, configurations and a key frame at time 0", async () => {
	const { destination, session, push, live } = egress();
	push(...CONFIGS(70_000), keyFrame(70_000), sound(70_010), interFrame(70_040));
	await live();
	await until(() => destination.received.length === 6, "six tags");
	expect(destination.received).toEqual([
		"metadata",
		"video-config@0",
		"audio-config@0",
		"key@0",
		"audio@10",
		"inter@40",
	]);
	expect(destination.session.requests).toMatchObject([{ app: "live", streamKey: KEY }]);
	expect(session.status()).toMatchObject({ reconnects: 0, droppedTags: 0, attempts: 0 });
	expect(session.status().bytes).toBeGreaterThan(3_000);
	await session.stop();
});

test("sends a configuration again only when its bytes change", async () => {
	const { destination, session, push, live } = egress();
	push(...CONFIGS(0), keyFrame(0));
	await live();
	push(...CONFIGS(1_000), keyFrame(1_000), videoConfig(2_000, "360p"), audioConfig(2_000), keyFrame(2_000));
	await until(() => destination.received.length === 7, "seven tags");
	expect(destination.received.slice(4)).toEqual(["key@1000", "video-config@2000", "key@2000"]);
	await session.stop();
});

test("announces both tracks to a destination that joins a program whose sound began after its first picture", async () => {
	const { destination, session, push, live, clock } = egress([{ kind: "unreachable" }, { kind: "accept" }]);
	push(videoConfig(0), keyFrame(0), interFrame(40), audioConfig(45), sound(45));
	await clock.advance(400);
	await live();
	push(sound(65));
	await until(() => destination.received.includes("audio@65"), "all");
	expect(destination.received).toEqual([
		...["metadata", "video-config@0", "audio-config@0", "key@0", "inter@40", "audio@45", "audio@65"],
	]);
	await Promise.all([session.stop(), clock.advance(5_000)]);
});

test("says goodbye when it is stopped, once", async () => {
	const { destination, session, push, live, states, clock } = egress();
	push(...CONFIGS(0), keyFrame(0));
	await live();
	await Promise.all([session.stop(), session.stop(), clock.advance(5_000)]);
	expect(destination.session.endings).toEqual(["the publisher ended the stream"]);
	expect(states()).toEqual(["connecting", "live", "stopped"]);
	expect(clock.pending).toBe(0);
	push(keyFrame(40));
	await clock.advance(60_000);
	expect(destination.dialled).toHaveLength(1);
});

test.each([
	["waits for a program", [], false],
	["waits for an answer", [{ kind: "silent" }], true],
	["waits to try again", [{ kind: "unreachable" }], true],
	["waits for a destination that takes nothing", [{ kind: "stuck-after", tags: 1 }], true],
] as const)("can be stopped while it %s", async (_name, manners, hasProgram) => {
	const { session, push, clock } = egress([...manners]);
	if (hasProgram) {
		push(...CONFIGS(0), keyFrame(0));
	}
	await settle();
	let stopped = false;
	const stopping = session.stop().then(() => {
		stopped = true;
	});
	await clock.advance(5_000);
	expect(stopped).toBe(true);
	await stopping;
	expect(session.status().state).toBe("stopped");
	expect(clock.pending).toBe(0);
});

test("a destination that closes is connected to again, without a goodbye, and time goes on", async () => {
	const { destination, session, push, live, states, clock } = egress();
	push(...CONFIGS(0));
	await feed(clock, push, 0, 5);
	await live();
	const first = destination.session;
	first.acceptor.close();
	await feed(clock, push, 5_000, 4);
	await live();
	await until(() => destination.received.length > 10, "media after the reconnect");
	expect(states()).toEqual(["connecting", "live", "retrying", "live"]);
	expect(destination.sessions).toHaveLength(2);
	expect(first.endings).not.toContain("the publisher ended the stream");
	const [metadata, video, audio, key] = destination.received;
	const keyTime = destination.session.tags[3]?.timestampMs ?? 0;
	expect([metadata, video, audio, key]).toEqual([
		"metadata",
		`video-config@${keyTime}`,
		`audio-config@${keyTime}`,
		`key@${keyTime}`,
	]);
	expect(keyTime % 1_000).toBe(0);
	expect(keyTime).toBeGreaterThan(first.tags.at(-1)?.timestampMs ?? 0);
	expect(session.status()).toMatchObject({
		reconnects: 1,
		lastError: expect.stringContaining("closed"),
	});
	await Promise.all([session.stop(), clock.advance(5_000)]);
});

test("rises strictly on each track over a reconnect", async () => {
	const { destination, session, push, live, clock } = egress();
	push(...CONFIGS(0));
	await feed(clock, push, 0, 5);
	destination.session.acceptor.close();
	await feed(clock, push, 5_000, 5);
	await live();
	const tags = destination.sessions.flatMap(({ tags: all }) => all).filter((tag) => tag.body[1] === 1);
	for (const type of [8, 9]) {
		const times = tags.filter((tag) => tag.type === type).map((tag) => tag.timestampMs);
		expect(times.length).toBeGreaterThan(50);
		expect(times.every((ms, at) => at === 0 || ms > (times[at - 1] ?? 0))).toBe(true);
	}
	await Promise.all([session.stop(), clock.advance(5_000)]);
});

test("a refusal is final, and no key is told", async () => {
	const error = new PublishRejection("NetStream.Publish.BadName", `no such stream: ${KEY}`);
	const { destination, session, push, states, clock } = egress([{ kind: "reject", error }]);
	push(...CONFIGS(0), keyFrame(0));
	await until(() => session.status().state === "refused", "refused");
	await feed(clock, push, 1_000, 60);
	expect(destination.dialled).toHaveLength(1);
	expect(states()).toEqual(["connecting", "refused"]);
	expect(session.status().lastError).toContain("NetStream.Publish.BadName");
	expect(JSON.stringify(session.status())).not.toContain("s3cret");
	await session.stop();
});

test("a destination that still holds the old session is tried again", async () => {
	const error = new PublishRejection("NetStream.Publish.BadName", "Already publishing");
	const { session, push, states, clock } = egress([
		{ kind: "reject", error },
		{ kind: "reject", error },
		{ kind: "accept" },
	]);
	push(...CONFIGS(0));
	await feed(clock, push, 0, 8);
	await until(() => session.status().state === "live", "live");
	expect(states()).toEqual(["connecting", "retrying", "live"]);
	await Promise.all([session.stop(), clock.advance(5_000)]);
});

test("a destination that takes the stream and closes at once means no after three times", async () => {
	const { destination, session, push, states, clock } = egress();
	push(...CONFIGS(0));
	for (let second = 0; second < 30 && session.status().state !== "refused"; second++) {
		await feed(clock, push, second * 1_000, 1);
		for (const { acceptor } of destination.sessions) {
			acceptor.close();
		}
		await settle();
	}
	expect(session.status().state).toBe("refused");
	expect(destination.sessions).toHaveLength(3);
	expect(states().at(-1)).toBe("refused");
});

test("a destination that was fine and closes at once on the reconnect is tried on", async () => {
	const { destination, session, push, clock } = egress();
	push(...CONFIGS(0));
	await feed(clock, push, 0, 31);
	for (let second = 31; second < 90; second++) {
		for (const { acceptor } of destination.sessions) {
			acceptor.close();
		}
		await feed(clock, push, second * 1_000, 1);
	}
	expect(destination.sessions.length).toBeGreaterThan(4);
	expect(session.status().state).not.toBe("refused");
	await Promise.all([session.stop(), clock.advance(5_000)]);
});

test("a silent destination is given up and tried again", async () => {
	const { destination, session, push, states, clock } = egress([{ kind: "silent" }, { kind: "accept" }]);
	push(...CONFIGS(0));
	await feed(clock, push, 0, CONNECT_WITHIN_MS / 1_000 + 3);
	await until(() => session.status().state === "live", "live");
	expect(destination.dialled).toHaveLength(2);
	expect(states()).toEqual(["connecting", "retrying", "live"]);
	await Promise.all([session.stop(), clock.advance(5_000)]);
});

test("an unreachable destination is tried for ever, with growing waits up to a limit", async () => {
	const { destination, session, push, clock } = egress([{ kind: "unreachable" }]);
	push(...CONFIGS(0));
	await feed(clock, push, 0, 120);
	const waits = destination.dialledAtMs.slice(1).map((ms, at) => ms - (destination.dialledAtMs[at] ?? 0));
	// With jitter in the middle: three quarters of 0.5, 1, 2, 3, 3 … s. There always is a key frame to begin with.
	expect(waits.slice(0, 5)).toEqual([375, 750, 1_500, 2_250, 2_250]);
	expect(Math.max(...waits)).toBe(2_250);
	expect(session.status()).toMatchObject({ state: "retrying", lastError: "connect ECONNREFUSED" });
	expect(session.status().queueMs).toBeLessThanOrEqual(MAX_QUEUE_MS);
	await session.stop();
});

test("a destination that stops reading: the queue stays bounded, the line is dropped, and another begins at a key frame", async () => {
	const { destination, session, push, live, states, clock } = egress([
		{ kind: "stuck-after", tags: 100 },
		{ kind: "accept" },
	]);
	push(...CONFIGS(0));
	let longestMs = 0;
	for (let second = 0; second < 40 && destination.sessions.length < 2; second++) {
		await feed(clock, push, second * 1_000, 1);
		longestMs = Math.max(longestMs, session.status().queueMs);
	}
	await live();
	expect(longestMs).toBeGreaterThan(1_000);
	expect(longestMs).toBeLessThanOrEqual(MAX_QUEUE_MS);
	expect(states()).toEqual(["connecting", "live", "retrying", "live"]);
	expect(session.status().droppedTags).toBeGreaterThan(100);
	expect(session.status().lastError).toContain("no progress");
	expect(destination.received[3]).toMatch(/^key@/);
	await Promise.all([session.stop(), clock.advance(5_000)]);
});

test("a slow destination is skipped to a key frame on the same line, and a second destination does not notice", async () => {
	const go = Promise.withResolvers<void>();
	const clock = new ManualClock();
	const slow = egress([{ kind: "stuck-after", tags: 100, go: go.promise }], { clock });
	const well = egress([], { clock });
	const both = (...tags: FlvTag[]) => {
		slow.push(...tags);
		well.push(...tags);
	};
	both(...CONFIGS(0));
	await feed(clock, both, 0, 10);
	expect(slow.session.status().droppedTags).toBeGreaterThan(0);
	expect(slow.session.status().state).toBe("live");
	go.resolve();
	await feed(clock, both, 10_000, 4);
	await until(() => slow.destination.received.includes("key@13000"), "the slow one to catch up");
	const times = slow.destination.session.tags.filter((tag) => tag.type === 9 && tag.body[1] === 1);
	const gap = times.findIndex((tag, at) => at > 0 && tag.timestampMs - (times[at - 1]?.timestampMs ?? 0) > 40);
	expect(gap).toBeGreaterThan(0);
	expect(times[gap]?.body[0]).toBe(0x17);
	expect(slow.destination.sessions).toHaveLength(1);
	expect(slow.destination.received.filter((name) => name.includes("config"))).toHaveLength(2);

	await until(() => well.destination.received.length === 3 + 14 * 50, "every tag at the second destination");
	expect(well.session.status()).toMatchObject({ state: "live", droppedTags: 0, reconnects: 0 });
	await Promise.all([slow.session.stop(), well.session.stop(), clock.advance(5_000)]);
});

/** Lets the burst that a new subscription begins with be over. */
const SETTLING_MS = 300;

test("after the Router has started over, time has jumped ahead by the time that passed, by one offset for both tracks", async () => {
	const { clock, destination, session, push, live } = egress();
	push(...CONFIGS(90_000), keyFrame(90_000), sound(90_000), interFrame(90_040), sound(90_020));
	await live();
	await clock.advance(3_000);
	session.resubscribed();
	push(...CONFIGS(0), keyFrame(0, 1), sound(10), interFrame(40), sound(30));
	await clock.advance(SETTLING_MS);
	await until(() => destination.received.includes("inter@3040"), "the new subscription's media");
	expect(destination.received.slice(6)).toEqual(["audio@20", "key@3000", "audio@3010", "inter@3040", "audio@3030"]);
	expect(destination.sessions).toHaveLength(1);
	await session.stop();
});

test("after a subscription to the same Router, sends what was missed and nothing twice", async () => {
	const { clock, destination, session, push, live } = egress();
	push(...CONFIGS(90_000), keyFrame(90_000), sound(90_005), interFrame(90_040), sound(90_025));
	await live();
	await clock.advance(400);
	session.resubscribed();
	push(...CONFIGS(90_000), keyFrame(90_000), sound(90_005), interFrame(90_040), sound(90_025));
	for (let ms = 80; ms <= 400; ms += 40) {
		push(interFrame(90_000 + ms), sound(90_005 + ms));
	}
	await clock.advance(SETTLING_MS);
	await until(() => destination.received.includes("audio@405"), "what was missed");
	const pictures = destination.received.filter((name) => /key|inter/.test(name));
	expect(pictures).toEqual(["key@0", ...Array.from({ length: 10 }, (_, at) => `inter@${40 * (at + 1)}`)]);
	expect(destination.received.filter((name) => name.startsWith("audio@")).slice(0, 3)).toEqual([
		"audio@5",
		"audio@25",
		"audio@85",
	]);
	expect(destination.sessions).toHaveLength(1);
	await session.stop();
});

test("after a Router that started over got the host's last group once more, sends what was missed and nothing twice", async () => {
	const { clock, destination, session, push, live } = egress();
	push(...CONFIGS(90_000), keyFrame(90_000, 7, 50), sound(90_005), interFrame(90_040), sound(90_025));
	await live();
	await clock.advance(2_000);
	session.resubscribed();
	push(...CONFIGS(33), keyFrame(33, 7, 50), sound(38), interFrame(73), sound(58));
	for (let ms = 80; ms <= 2_000; ms += 40) {
		push(interFrame(33 + ms), sound(38 + ms));
	}
	await clock.advance(SETTLING_MS);
	await until(() => destination.received.includes("audio@2005"), "what was missed");
	const pictures = destination.received.filter((name) => /key|inter/.test(name));
	expect(pictures).toEqual(["key@0", ...Array.from({ length: 50 }, (_, at) => `inter@${40 * (at + 1)}`)]);
	await session.stop();
});

test("a Router that has stood still with its stream does not make that stream later, and nothing is sent twice", async () => {
	const { clock, destination, session, push, live } = egress();
	push(...CONFIGS(0), keyFrame(0), interFrame(40));
	await live();
	await clock.advance(10_000);
	session.resubscribed();
	push(...CONFIGS(0), keyFrame(0), interFrame(40), interFrame(80));
	await clock.advance(SETTLING_MS);
	await until(() => destination.received.length === 6, "the new subscription's media");
	expect(destination.received.slice(-2)).toEqual(["inter@40", "inter@10040"]);
	await session.stop();
});

test("an egress that was lost goes on where its time would be by now, and does not begin with the past", async () => {
	const carryOver = { firstMs: 3_600_000, held: true, bytes: 5_000_000, reconnects: 2, droppedTags: 7 };
	const { clock, destination, session, push, live } = egress([], { carryOver });
	await clock.advance(500);
	// The group of pictures so far: a second and a half of the past, most of which the lost object has sent.
	push(
		...CONFIGS(0),
		keyFrame(0),
		sound(0),
		interFrame(40),
		sound(20),
		interFrame(1_480),
		sound(1_490),
		interFrame(1_520),
	);
	await clock.advance(SETTLING_MS);
	await live();
	push(interFrame(1_860), sound(1_870));
	await until(() => destination.received.at(-1)?.startsWith("audio") === true, "sound");
	// What is decoded to see the present is shown for a millisecond each; sound of the past is left out.
	expect(destination.received.slice(3)).toEqual([
		"key@3600000",
		"inter@3600001",
		"inter@3600460",
		"audio@3600470",
		"inter@3600500",
		"inter@3600840",
		"audio@3600850",
	]);
	expect(session.status()).toMatchObject({ reconnects: 3, droppedTags: 7 });
	expect(session.status().bytes).toBeGreaterThan(5_000_000);
	await session.stop();
});

test("a lost egress that never sent anything begins at 0", async () => {
	const carryOver = { held: false, bytes: 0, reconnects: 0, droppedTags: 0 };
	const { destination, session, push, live } = egress([], { carryOver });
	push(...CONFIGS(500), keyFrame(500));
	await live();
	expect(destination.received.at(-1)).toBe("key@0");
	await session.stop();
});

test("a destination that takes nothing for five seconds and then goes on keeps its session", async () => {
	const go = Promise.withResolvers<void>();
	const { clock, destination, session, push, live, states } = egress([
		{ kind: "stuck-after", tags: 100, go: go.promise },
	]);
	push(...CONFIGS(0));
	await feed(clock, push, 0, 8);
	await live();
	expect(session.status().droppedTags).toBeGreaterThan(0);
	go.resolve();
	await feed(clock, push, 8_000, 3);
	await until(() => destination.received.includes("key@10000"), "the present");
	expect(destination.sessions).toHaveLength(1);
	expect(states()).toEqual(["connecting", "live"]);
	await Promise.all([session.stop(), clock.advance(5_000)]);
});

test("a connection begins with the group so far, however far apart the key frames are", async () => {
	const { clock, destination, session, push, live } = egress([{ kind: "unreachable" }, { kind: "accept" }]);
	push(...CONFIGS(0), keyFrame(0));
	await settle();
	for (let ms = 40; ms < 8_000; ms += 40) {
		push(interFrame(ms));
	}
	await clock.advance(400);
	await live();
	await until(() => destination.received.length === 3 + 200, "the whole group");
	expect(destination.received.slice(0, 4)).toEqual(["metadata", "video-config@0", "audio-config@0", "key@0"]);
	expect(session.status()).toMatchObject({ droppedTags: 0 });
	await Promise.all([session.stop(), clock.advance(5_000)]);
});

test.each([
	["", true],
	["stream key not valid", false],
])("a destination that was fine and answers BadName %j after a break is tried again: %s", async (words, again) => {
	const error = new PublishRejection("NetStream.Publish.BadName", words);
	const { clock, destination, session, push } = egress([
		{ kind: "accept" },
		{ kind: "reject", error },
		{ kind: "reject", error },
		{ kind: "accept" },
	]);
	push(...CONFIGS(0));
	await feed(clock, push, 0, 10);
	destination.session.acceptor.close();
	await feed(clock, push, 10_000, 10);
	expect(session.status().state).toBe(again ? "live" : "refused");
	expect(session.status().reconnects).toBe(again ? 1 : 0);
	await Promise.all([session.stop(), clock.advance(5_000)]);
});

test("a connection that does not come about is given up within seconds, and its dialling with it", async () => {
	const clock = new ManualClock();
	let aborted = 0;
	const session = new EgressSession(TARGET, {
		dial: (_url, signal) => {
			signal.addEventListener("abort", () => aborted++);
			return new Promise<never>(() => {});
		},
		clock,
		random: () => 0.5,
		onChange: () => {},
	});
	session.start();
	session.push(message(videoConfig(0)));
	session.push(message(keyFrame(0)));
	await clock.advance(DIAL_WITHIN_MS);
	expect(session.status()).toMatchObject({
		state: "retrying",
		lastError: "egress: expected a connection within 4 s, got none",
	});
	expect(aborted).toBe(1);
	await session.stop();
	expect(clock.pending).toBe(0);
});

test("an address that is none is refused without a word of it", async () => {
	const { session, destination } = egress([], { target: { ...TARGET, url: `http://example.com/${KEY}` } });
	await settle();
	expect(session.status()).toMatchObject({ state: "refused", lastError: expect.stringContaining("expected rtmp") });
	expect(JSON.stringify(session.status())).not.toContain("s3cret");
	expect(destination.dialled).toEqual([]);
});

test("takes nothing but WS-FLV from its subscription", () => {
	const { session } = egress();
	expect(() => session.push(new ArrayBuffer(20))).toThrow("flv: expected");
});

test(`a session that has settled for ${SETTLED_MS} ms and is closed by the server is broken, not refused`, async () => {
	const { destination, session, push, live, clock } = egress();
	push(...CONFIGS(0));
	await feed(clock, push, 0, SETTLED_MS / 1_000);
	await live();
	destination.session.acceptor.close();
	await until(() => session.status().state === "retrying", "retrying");
	await session.stop();
});
