import fc from "fast-check";
import { expect, test } from "vitest";
import { LeaseBook, MAX_WAITING, type PoolEffect } from "../../../worker/pool/lease-book.ts";
import {
	FRAMES_TIMEOUT_MS,
	RECONNECT_TIMEOUT_MS,
	SILENT_AFTER_MS,
	START_TIMEOUT_MS,
} from "../../../worker/pool/lease-records.ts";

const hello = (runnerId: string, capacity: number, leaseIds: string[] = []) => ({
	type: "hello" as const,
	runnerId,
	capacity,
	leaseIds,
});
const beat = (leaseId: string, programFrames: number) => ({
	type: "heartbeat" as const,
	leases: [{ leaseId, state: "running" as const, programFrames }],
});
const request = (broadcastId: string, fence = 1) => ({ broadcastId, fence, token: `token-${broadcastId}-${fence}` });

/** Who is told what, in a word each. */
function words(effects: PoolEffect[]): string[] {
	return effects.map((effect) =>
		effect.kind === "send"
			? `${effect.runnerId}: ${effect.message.type} ${effect.message.leaseId}`
			: `${effect.broadcastId}: ${effect.change.state} ${effect.change.leaseId}`,
	);
}

function running(): LeaseBook {
	const book = new LeaseBook();
	book.hello(hello("r", 1), 0);
	book.acquire(request("b"), "l", 0);
	book.heartbeat("r", beat("l", 1), 1_000);
	book.takeEffects();
	return book;
}

test("gives a place at once when there is one, and tells nobody but the runner", () => {
	const book = new LeaseBook();
	book.hello(hello("r", 1), 0);
	expect(book.acquire(request("b"), "l", 0)).toEqual({ outcome: "assigned", leaseId: "l" });
	expect(words(book.takeEffects())).toEqual(["r: assign l"]);
	expect(book.stats(0)).toEqual({ runners: 1, capacity: 1, freePlaces: 0, leases: 1, waiting: 0 });
});

test("serves those that wait in the order they came", () => {
	const book = new LeaseBook();
	for (const name of ["a", "b", "c"]) {
		expect(book.acquire(request(name), `lease-${name}`, 0).outcome).toBe("waiting");
	}
	book.hello(hello("r", 2), 0);
	expect(words(book.takeEffects())).toEqual([
		"r: assign lease-a",
		"a: assigned lease-a",
		"r: assign lease-b",
		"b: assigned lease-b",
	]);
	book.release("lease-a", 0);
	expect(words(book.takeEffects())).toEqual(["r: release lease-a", "r: assign lease-c", "c: assigned lease-c"]);
});

test("refuses to queue more than its limit", () => {
	const book = new LeaseBook();
	for (let n = 0; n < MAX_WAITING; n++) {
		book.acquire(request(`b${n}`), `l${n}`, 0);
	}
	expect(book.acquire(request("one too many"), "l", 0).outcome).toBe("refused");
	expect(book.acquire(request("b0"), "l", 0)).toEqual({ outcome: "waiting", leaseId: "l0" });
});

test("the same fence asked for twice is one lease; a higher one replaces it, a lower one is refused", () => {
	const book = new LeaseBook();
	book.hello(hello("r", 2), 0);
	book.acquire(request("b", 2), "l2", 0);
	expect(book.acquire(request("b", 2), "other", 0)).toEqual({ outcome: "assigned", leaseId: "l2" });
	expect(book.acquire(request("b", 1), "l1", 0).outcome).toBe("refused");
	book.takeEffects();
	expect(book.acquire(request("b", 3), "l3", 0)).toEqual({ outcome: "assigned", leaseId: "l3" });
	expect(words(book.takeEffects())).toEqual(["r: release l2", "r: assign l3"]);
	expect(book.standing("l2")).toBe("unknown");
});

test("a first frame makes a lease run; without one it is lost after the time to start", () => {
	const book = new LeaseBook();
	book.hello(hello("r", 1), 0);
	book.acquire(request("b"), "l", 0);
	book.takeEffects();
	for (let nowMs = 1_000; nowMs < START_TIMEOUT_MS; nowMs += 1_000) {
		book.heartbeat("r", beat("l", 0), nowMs);
		book.expire(nowMs);
	}
	expect(book.nextDeadlineMs()).toBe(START_TIMEOUT_MS);
	book.expire(START_TIMEOUT_MS - 1);
	expect(book.standing("l")).toBe("assigned");
	book.expire(START_TIMEOUT_MS);
	expect(words(book.takeEffects())).toEqual(["r: release l", "b: lost l"]);
	expect(book.stats(START_TIMEOUT_MS).freePlaces).toBe(1);
});

test("a running lease is renewed by new frames alone", () => {
	const book = running();
	book.heartbeat("r", beat("l", 30), 2_000);
	book.heartbeat("r", beat("l", 30), 3_000);
	book.heartbeat("r", beat("l", 29), 4_000);
	expect(book.nextDeadlineMs()).toBe(2_000 + FRAMES_TIMEOUT_MS);
	book.expire(2_000 + FRAMES_TIMEOUT_MS - 1);
	expect(book.standing("l")).toBe("running");
	book.expire(2_000 + FRAMES_TIMEOUT_MS);
	expect(words(book.takeEffects())).toEqual(["r: release l", "b: lost l"]);
});

test("a runner that comes back in time keeps its leases, however long it made no frames", () => {
	const book = running();
	book.gone("r", 1_500);
	expect(book.nextDeadlineMs()).toBe(1_500 + RECONNECT_TIMEOUT_MS);
	book.expire(1_500 + RECONNECT_TIMEOUT_MS - 1);
	expect(book.standing("l")).toBe("running");
	book.hello(hello("r", 1, ["l"]), 6_000);
	expect(book.nextDeadlineMs()).toBe(6_000 + FRAMES_TIMEOUT_MS);
	expect(book.takeEffects()).toEqual([]);
});

test("a runner that stays away loses its leases and is forgotten", () => {
	const book = running();
	book.gone("r", 1_500);
	book.gone("r", 4_000);
	book.expire(1_500 + RECONNECT_TIMEOUT_MS);
	expect(words(book.takeEffects())).toEqual(["b: lost l"]);
	expect(book.state()).toEqual({ runners: [], leases: [] });
	expect(book.nextDeadlineMs()).toBeUndefined();
});

test("a runner that started anew loses what it forgot, and drops what is not its own", () => {
	const book = running();
	book.hello(hello("r", 1, ["stranger"]), 2_000);
	expect(words(book.takeEffects())).toEqual(["r: release l", "b: lost l", "r: release stranger"]);
	expect(book.stats(2_000).freePlaces).toBe(1);
});

test("a runner has no say over the leases of another", () => {
	const book = running();
	book.hello(hello("other", 1), 1_000);
	book.heartbeat("other", beat("l", 99), 3_000);
	book.released("other", "l", "mine", 3_000);
	expect(words(book.takeEffects())).toEqual(["other: release l"]);
	expect(book.nextDeadlineMs()).toBe(1_000 + FRAMES_TIMEOUT_MS);
});

test("a lease that its runner gave up is told to the broadcast, and goes to another runner next", () => {
	const book = running();
	book.hello(hello("other", 1), 1_000);
	book.released("r", "l", "the browser died", 2_000);
	expect(words(book.takeEffects())).toEqual(["b: released l"]);
	book.hello(hello("r", 4, []), 2_000);
	book.acquire(request("b", 2), "l2", 2_000);
	expect(words(book.takeEffects())).toEqual(["other: assign l2"]);
	book.acquire(request("c"), "l3", 2_000);
	expect(words(book.takeEffects())).toEqual(["r: assign l3"]);
});

test("assignments spread over the runners with most room", () => {
	const book = new LeaseBook();
	book.hello(hello("small", 1), 0);
	book.hello(hello("large", 3), 0);
	for (const name of ["a", "b", "c", "d"]) {
		book.acquire(request(name), name, 0);
	}
	expect(words(book.takeEffects())).toEqual([
		"large: assign a",
		"large: assign b",
		"large: assign c",
		"small: assign d",
	]);
});

test("a restart gives every lease its full time again, and runners without a socket the time to reconnect", () => {
	const state = running().state();
	const connected = new LeaseBook(state, new Set(["r"]), 100_000);
	expect(connected.nextDeadlineMs()).toBe(100_000 + FRAMES_TIMEOUT_MS);
	expect(connected.takeEffects()).toEqual([]);
	const alone = new LeaseBook(state, new Set(), 100_000);
	expect(alone.nextDeadlineMs()).toBe(100_000 + RECONNECT_TIMEOUT_MS);
	alone.expire(100_000 + RECONNECT_TIMEOUT_MS);
	expect(words(alone.takeEffects())).toEqual(["b: lost l"]);
});

test("a runner that says nothing, though its socket is open, has no places until it is heard again", () => {
	const book = running();
	book.hello(hello("quiet", 2), 1_000);
	book.takeEffects();
	book.heartbeat("r", beat("l", 30), 3_000);
	expect(book.stats(1_000 + SILENT_AFTER_MS - 1)).toMatchObject({ runners: 2, freePlaces: 2 });
	expect(book.stats(1_000 + SILENT_AFTER_MS)).toMatchObject({ runners: 2, capacity: 3, freePlaces: 0 });
	expect(book.acquire(request("c"), "l-c", 4_500)).toEqual({ outcome: "waiting", leaseId: "l-c" });
	book.heartbeat("quiet", { type: "heartbeat", leases: [] }, 9_000);
	expect(words(book.takeEffects())).toEqual(["quiet: assign l-c", "c: assigned l-c"]);
	expect(book.stats(9_000).freePlaces).toBe(1);
});

test("a runner that is heard again by giving up what it has not got serves those that wait, too", () => {
	const book = new LeaseBook();
	book.hello(hello("r", 1), 0);
	book.acquire(request("b"), "l", SILENT_AFTER_MS);
	book.released("r", "of another time", "test", 10_000);
	expect(words(book.takeEffects())).toEqual(["r: assign l", "b: assigned l"]);
});

test("a frozen runner's running lease is lost by its frames, and its next one goes elsewhere", () => {
	const book = running();
	book.hello(hello("other", 1), 1_000);
	book.expire(1_000 + FRAMES_TIMEOUT_MS);
	expect(words(book.takeEffects())).toEqual(["r: release l", "b: lost l"]);
	expect(book.acquire(request("b", 2), "l2", 3_600).outcome).toBe("assigned");
	expect(words(book.takeEffects())).toEqual(["other: assign l2"]);
	book.heartbeat("r", beat("l", 2), 9_000);
	expect(words(book.takeEffects())).toEqual(["r: release l"]);
});

test("a broadcast that has seen its compositor fail gets its next one from another runner, if there is one", () => {
	const book = new LeaseBook();
	book.hello(hello("large", 4), 0);
	book.acquire(request("b"), "l1", 0);
	book.hello(hello("small", 1), 0);
	book.takeEffects();
	book.acquire(request("b", 2), "l2", 1_000);
	expect(words(book.takeEffects())).toEqual(["large: release l1", "small: assign l2"]);
	book.acquire(request("b", 3), "l3", 2_000);
	expect(words(book.takeEffects())).toEqual(["small: release l2", "large: assign l3"]);
});

test("a lease that starts on a runner that falls silent is waited for as long as for one that is away", () => {
	const book = new LeaseBook();
	book.hello(hello("r", 1), 0);
	book.acquire(request("b"), "l", 1_000);
	book.takeEffects();
	expect(book.nextDeadlineMs()).toBe(RECONNECT_TIMEOUT_MS);
	book.expire(RECONNECT_TIMEOUT_MS);
	expect(words(book.takeEffects())).toEqual(["r: release l", "b: lost l"]);
});

test("no lease starts for ever, however often its pool falls asleep or its runner connects again", () => {
	let book = new LeaseBook();
	book.hello(hello("r", 1), 0);
	book.acquire(request("b"), "l", 0);
	let nowMs = 0;
	while (book.standing("l") !== "unknown") {
		nowMs += 4_000;
		expect(nowMs).toBeLessThan(START_TIMEOUT_MS + 4_000);
		book = new LeaseBook(structuredClone(book.state()), new Set(["r"]), nowMs);
		book.hello(hello("r", 1, ["l"]), nowMs);
		book.expire(nowMs);
	}
});

test("wants storing when something changes, and not for a heartbeat", () => {
	const book = running();
	expect(book.takeChanged()).toBe(true);
	book.heartbeat("r", beat("l", 2), 2_000);
	expect(book.takeChanged()).toBe(false);
	book.release("l", 2_000);
	expect(book.takeChanged()).toBe(true);
});

type Act = { do: "hello" | "gone" | "acquire" | "release" | "beat" | "expire"; who: number; ms: number };

test("whatever happens, no runner holds more than its places, no broadcast two leases, and nobody waits beside a free place", () => {
	const act: fc.Arbitrary<Act> = fc.record({
		do: fc.constantFrom("hello", "gone", "acquire", "release", "beat", "expire"),
		who: fc.nat({ max: 3 }),
		ms: fc.nat({ max: 4_000 }),
	});
	fc.assert(
		fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
			let book = new LeaseBook();
			let nowMs = 0;
			const connected = new Set<string>();
			acts.forEach((each, n) => {
				nowMs += each.ms;
				const runnerId = `r${each.who}`;
				const { leases } = book.state();
				const lease = leases[each.who % Math.max(1, leases.length)];
				switch (each.do) {
					case "hello":
						connected.add(runnerId);
						book.hello(
							hello(
								runnerId,
								each.who,
								leases.filter((held) => held.runnerId === runnerId).map(({ leaseId }) => leaseId),
							),
							nowMs,
						);
						break;
					case "gone":
						connected.delete(runnerId);
						book.gone(runnerId, nowMs);
						break;
					case "acquire":
						book.acquire(request(`b${each.who}`, n + 1), `l${n}`, nowMs);
						break;
					case "release":
						book.release(lease?.leaseId ?? "none", nowMs);
						break;
					case "beat":
						book.heartbeat(lease?.runnerId ?? runnerId, beat(lease?.leaseId ?? "none", n), nowMs);
						break;
					case "expire":
						book.expire(nowMs);
						book = new LeaseBook(structuredClone(book.state()), connected, nowMs);
				}
				const after = book.state();
				for (const runner of after.runners) {
					const held = after.leases.filter((each) => each.runnerId === runner.runnerId).length;
					// A runner that came back with fewer places keeps what it still runs.
					expect(held).toBeLessThanOrEqual(Math.max(runner.capacity, each.do === "hello" ? held : runner.capacity));
				}
				const broadcasts = after.leases.map(({ broadcastId }) => broadcastId);
				expect(new Set(broadcasts).size).toBe(broadcasts.length);
				expect(book.stats(nowMs).waiting === 0 || book.stats(nowMs).freePlaces === 0).toBe(true);
			});
		}),
	);
});
