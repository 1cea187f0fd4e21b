import { describe, expect, test } from "vitest";
import {
	COUNT_AGAIN_MS,
	COUNT_EVERY_MS,
	isWorthTelling,
	nextCountMs,
	TRUST_STATE_MS,
} from "../../../worker/audience/audience-pace.ts";
import {
	AudienceRoom,
	type AudienceSocket,
	MAX_AUDIENCE_SOCKETS,
	type StoredRoom,
} from "../../../worker/audience/audience-room.ts";
import type { AudienceEvent, PublicState } from "../../../worker/protocol/audience.ts";
import { done, type Outcome, refused } from "../../../worker/protocol/problem.ts";

const NOW_MS = 1_000_000;
const LOBBY: PublicState = { version: 3, status: "lobby", title: "A show", viewers: 1 };

class Viewer implements AudienceSocket {
	readonly heard: AudienceEvent[] = [];
	closed: { kind: string; reason: string } | undefined;

	send(text: string): void {
		this.heard.push(JSON.parse(text) as AudienceEvent);
	}

	close(kind: string, reason: string): void {
		this.closed = { kind, reason };
	}
}

/** A shard with all that is around it: what it told the broadcast, what it stored, and when it wants to be woken. */
class World {
	readonly viewers: Viewer[] = [];
	readonly counts: number[] = [];
	readonly reports: string[] = [];
	/** How the broadcast answers a count. */
	answer: () => Promise<Outcome<PublicState>> = async () => done(LOBBY);
	stored: StoredRoom | undefined;
	wakeAtMs: number | undefined;
	alarmsSet = 0;
	room = this.#newRoom();

	#newRoom(): AudienceRoom {
		return new AudienceRoom(this.stored, this.wakeAtMs, {
			sockets: () => this.viewers.filter((viewer) => viewer.closed === undefined),
			tellCount: (count) => {
				this.counts.push(count);
				return this.answer();
			},
			save: async (room) => {
				this.stored = structuredClone(room);
			},
			clear: async () => {
				this.stored = undefined;
				this.wakeAtMs = undefined;
			},
			wakeAt: async (timeMs) => {
				this.wakeAtMs = timeMs;
				this.alarmsSet++;
			},
			report: (message) => this.reports.push(message),
		});
	}

	/** Put out of memory: what is stored, the sockets and the alarm stay. */
	evict(): void {
		this.room = this.#newRoom();
	}

	async join(nowMs: number): Promise<Viewer> {
		const viewer = new Viewer();
		const joined = await this.tryJoin(viewer, nowMs);
		expect(joined.ok).toBe(true);
		return viewer;
	}

	tryJoin(viewer: Viewer, nowMs: number): Promise<Outcome<null>> {
		const accept = () => {
			this.viewers.push(viewer);
			return viewer;
		};
		return this.room.join(accept, nowMs);
	}

	async leave(viewer: Viewer, nowMs: number): Promise<void> {
		viewer.closed = { kind: "done", reason: "" };
		await this.room.left(nowMs);
	}

	/** Rings the alarm at its time, which must be set. */
	async ring(): Promise<number> {
		const atMs = this.wakeAtMs;
		if (atMs === undefined) {
			throw new Error("test: expected an alarm, got none");
		}
		this.wakeAtMs = undefined;
		await this.room.wake(atMs);
		return atMs;
	}
}

describe("joining", () => {
	test("tells the state, and asks for it once however many come at first", async () => {
		const world = new World();
		const held = Promise.withResolvers<Outcome<PublicState>>();
		world.answer = () => held.promise;
		const joining = [world.join(NOW_MS), world.join(NOW_MS), world.join(NOW_MS)];
		held.resolve(done({ ...LOBBY, scheduledStartMs: Date.UTC(2027, 0, 31, 18) }));
		const viewers = await Promise.all(joining);
		expect(world.counts).toEqual([1]);
		for (const viewer of viewers) {
			expect(viewer.heard).toEqual([
				{ type: "state", status: "lobby", title: "A show", scheduledStartTime: "2027-01-31T18:00:00.000Z", viewers: 1 },
			]);
		}
	});

	test("is refused where there is no such broadcast, and nothing is stored", async () => {
		const world = new World();
		world.answer = async () => refused("not-found", "broadcast: expected one that exists, got none");
		const viewer = new Viewer();
		expect(await world.tryJoin(viewer, NOW_MS)).toMatchObject({ ok: false, refusal: { kind: "not-found" } });
		expect([world.viewers.length, world.stored, world.wakeAtMs]).toEqual([0, undefined, undefined]);
	});

	test("is refused when the shard is full, also to those who came while it asked", async () => {
		const world = new World();
		const held = Promise.withResolvers<Outcome<PublicState>>();
		world.answer = () => held.promise;
		const joining = Array.from({ length: MAX_AUDIENCE_SOCKETS + 2 }, () => world.tryJoin(new Viewer(), NOW_MS));
		held.resolve(done(LOBBY));
		const outcomes = await Promise.all(joining);
		expect(outcomes.filter(({ ok }) => ok).length).toBe(MAX_AUDIENCE_SOCKETS);
		expect(world.viewers.length).toBe(MAX_AUDIENCE_SOCKETS);
		expect(await world.tryJoin(new Viewer(), NOW_MS)).toMatchObject({ ok: false, refusal: { kind: "too-many" } });
		await world.leave(world.viewers[0] as Viewer, NOW_MS);
		expect(await world.tryJoin(new Viewer(), NOW_MS)).toMatchObject({ ok: true });
	});

	test("trusts what it knows for a minute after the broadcast was heard, and asks again then", async () => {
		const world = new World();
		await world.join(NOW_MS);
		await world.join(NOW_MS + TRUST_STATE_MS - 1);
		expect(world.counts).toEqual([1]);
		world.answer = async () => done({ ...LOBBY, version: 4, title: "Renamed" });
		expect((await world.join(NOW_MS + TRUST_STATE_MS)).heard).toMatchObject([{ title: "Renamed" }]);
		expect(world.counts).toEqual([1, 3]);
	});

	test("of a broadcast that is over tells so and lets nobody stay", async () => {
		const world = new World();
		world.answer = async () => done({ ...LOBBY, status: "cancelled", endedAtMs: NOW_MS });
		const viewer = await world.join(NOW_MS);
		expect(viewer.heard).toMatchObject([{ status: "cancelled" }]);
		expect(viewer.closed).toMatchObject({ kind: "ended" });
	});

	test("is not taken from people by a broadcast that does not answer", async () => {
		const world = new World();
		await world.join(NOW_MS);
		world.answer = () => Promise.reject(new Error("overloaded"));
		const late = await world.join(NOW_MS + TRUST_STATE_MS);
		expect(late.heard).toMatchObject([{ status: "lobby" }]);
		expect(world.reports.length).toBe(1);
	});
});

describe("counting", () => {
	test("tells a changed count at most every 5 s, moving the alarm once", async () => {
		const world = new World();
		for (let index = 0; index < 50; index++) {
			await world.join(NOW_MS + index);
		}
		expect(world.alarmsSet).toBe(2);
		expect(await world.ring()).toBe(NOW_MS + COUNT_EVERY_MS);
		expect(world.counts).toEqual([1, 50]);
	});

	test("tells the same count every 30 s while somebody is there, and never while nobody is", async () => {
		const world = new World();
		const viewer = await world.join(NOW_MS);
		const times: number[] = [];
		for (let index = 0; index < 3; index++) {
			times.push((await world.ring()) - NOW_MS);
		}
		expect(times).toEqual([COUNT_AGAIN_MS, 2 * COUNT_AGAIN_MS, 3 * COUNT_AGAIN_MS]);
		expect(world.counts).toEqual([1, 1, 1, 1]);
		await world.leave(viewer, NOW_MS + 100_000);
		while (world.wakeAtMs !== undefined) {
			await world.ring();
		}
		expect(world.counts.slice(4)).toEqual([0]);
		expect(world.stored).toBeUndefined();
	});

	test("goes on after eviction with the same people, at the same pace", async () => {
		const world = new World();
		await world.join(NOW_MS);
		const second = await world.join(NOW_MS);
		world.evict();
		await world.join(NOW_MS + 1_000);
		expect(await world.ring()).toBe(NOW_MS + COUNT_EVERY_MS);
		expect(world.counts).toEqual([1, 3]);
		world.evict();
		await world.room.stateChanged({ ...LOBBY, version: 4, status: "live", startedAtMs: NOW_MS });
		expect(second.heard.at(-1)).toMatchObject({ status: "live" });
		expect((await world.join(NOW_MS + 6_000)).heard).toMatchObject([{ status: "live" }]);
		expect(world.counts).toEqual([1, 3]);
	});

	test("tells nothing when whoever came has left again by then", async () => {
		const world = new World();
		await world.join(NOW_MS);
		await world.leave(await world.join(NOW_MS + 1_000), NOW_MS + 2_000);
		expect(await world.ring()).toBe(NOW_MS + COUNT_EVERY_MS);
		expect(world.counts).toEqual([1]);
		expect(await world.ring()).toBe(NOW_MS + COUNT_AGAIN_MS);
		expect(world.counts).toEqual([1, 1]);
	});

	test.each([
		["at once what was never told", { count: 1 }, NOW_MS],
		["never that nobody came", { count: 0 }, undefined],
		["5 s after the last what changed", { count: 2, told: { count: 1, atMs: 7 } }, 7 + COUNT_EVERY_MS],
		["5 s after the last that everybody left", { count: 0, told: { count: 1, atMs: 7 } }, 7 + COUNT_EVERY_MS],
		["30 s after the last what stays", { count: 1, told: { count: 1, atMs: 7 } }, 7 + COUNT_AGAIN_MS],
		["never again that nobody is there", { count: 0, told: { count: 0, atMs: 7 } }, undefined],
	])("tells %s", (_, counting, expected) => {
		expect(nextCountMs(counting, NOW_MS)).toBe(expected);
	});

	test("counts the sockets themselves: a leaving that nobody heard of is made good", async () => {
		const world = new World();
		const viewer = await world.join(NOW_MS);
		await world.join(NOW_MS);
		await world.ring();
		viewer.closed = { kind: "done", reason: "" };
		await world.ring();
		expect(world.counts).toEqual([1, 2, 1]);
	});

	test("a broadcast that does not answer is told again half a minute later", async () => {
		const world = new World();
		await world.join(NOW_MS);
		world.answer = () => Promise.reject(new Error("gone"));
		const failedAtMs = await world.ring();
		expect(world.reports.length).toBe(1);
		world.answer = async () => done(LOBBY);
		expect(await world.ring()).toBe(failedAtMs + COUNT_AGAIN_MS);
	});

	test("a broadcast that was deleted lets everyone go", async () => {
		const world = new World();
		const viewer = await world.join(NOW_MS);
		world.answer = async () => refused("not-found", "broadcast: expected one that exists, got none");
		await world.ring();
		expect(viewer.closed).toMatchObject({ kind: "ended" });
		expect([world.stored, world.wakeAtMs]).toEqual([undefined, undefined]);
	});
});

describe("telling", () => {
	test("a change goes to everyone at once, and an overtaken one to nobody", async () => {
		const world = new World();
		const viewers = [await world.join(NOW_MS), await world.join(NOW_MS)];
		await world.room.stateChanged({ ...LOBBY, version: 5, title: "Second" });
		await world.room.stateChanged({ ...LOBBY, version: 4, title: "First" });
		for (const viewer of viewers) {
			expect(viewer.heard.map(({ title }) => title)).toEqual(["A show", "Second"]);
		}
		expect(world.stored?.state.title).toBe("Second");
	});

	test("a new version that shows nothing new is not a message", async () => {
		const world = new World();
		const viewer = await world.join(NOW_MS);
		await world.room.stateChanged({ ...LOBBY, version: 9 });
		expect(viewer.heard.length).toBe(1);
	});

	test("the end is told before the sockets are closed", async () => {
		const world = new World();
		const viewer = await world.join(NOW_MS);
		await world.room.stateChanged({ ...LOBBY, version: 5, status: "ended", endedAtMs: NOW_MS });
		expect(viewer.heard.at(-1)).toMatchObject({ status: "ended" });
		expect(viewer.closed?.kind).toBe("ended");
	});

	test("a total that comes with a count is told when it differs by a hundredth or more, small drifts adding up", async () => {
		const world = new World();
		world.answer = async () => done({ ...LOBBY, viewers: 1_000 });
		const viewer = await world.join(NOW_MS);
		await world.join(NOW_MS);
		for (const viewers of [1_005, 1_009, 1_010, 1_015, 990]) {
			world.answer = async () => done({ ...LOBBY, viewers });
			await world.ring();
		}
		expect(viewer.heard.map(({ viewers }) => viewers)).toEqual([1_000, 1_010, 990]);
	});

	test.each([
		[0, 1, true],
		[1, 0, true],
		[99, 100, true],
		[100, 101, true],
		[101, 102, false],
		[5, 5, false],
		[0, 0, false],
	])("after %i, %i is worth telling: %s", (before, total, expected) => {
		expect(isWorthTelling(before, total)).toBe(expected);
	});
});
