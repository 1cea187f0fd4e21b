import { beforeEach, describe, expect, test } from "vitest";
import type { CallMember } from "../../../../worker/broadcast/call-member.ts";
import type { CallEvent, VirtualCall, VirtualJoining } from "../../../../worker/broadcast/virtual-members.ts";
import { ANSWER_WITHIN_MS, type StoredWhipSession, WhipSessions } from "../../../../worker/broadcast/whip-sessions.ts";
import { done, type Outcome, refused } from "../../../../worker/protocol/problem.ts";
import type { PersonId } from "../../../../worker/protocol/roles.ts";
import type { Signal } from "../../../../worker/protocol/signaling.ts";
import type { WhipAnswer } from "../../../../worker/protocol/whip.ts";
import { ANSWER, OFFER, TRICKLED } from "../../../support/whip/descriptions.ts";

/** A call with one compositor or none, as the sessions see it. */
class FakeCall implements VirtualCall {
	readonly members: CallMember[] = [];
	readonly said: (readonly [connection: string, signal: Signal])[] = [];
	compositor: string | undefined = "compositor-1";
	refusal: Outcome<never> | undefined;
	/** What is done while ICE servers are asked for. */
	meanwhile: () => void = () => {};

	async addVirtual({ person, connection }: VirtualJoining, nowMs: number): Promise<Outcome<CallEvent>> {
		if (this.refusal !== undefined) {
			return this.refusal;
		}
		this.members.push({
			...{ person, connection, leg: "whip", realTime: true, streams: false, ver: 1 },
			awaitedSinceMs: nowMs,
		});
		return done(this.event());
	}

	async removeVirtual(_person: PersonId, connection: string): Promise<void> {
		this.members.splice(0, this.members.length, ...this.members.filter((each) => each.connection !== connection));
	}

	signalFromVirtual(_person: PersonId, connection: string, _to: string, signal: Signal): boolean {
		this.said.push([connection, signal]);
		return true;
	}

	callOf(_person: PersonId, connection: string): CallEvent | undefined {
		return this.members.some((member) => member.connection === connection) ? this.event() : undefined;
	}

	realTimePeople(): readonly PersonId[] {
		return [];
	}

	async iceServersFor() {
		this.meanwhile();
		return { servers: [{ urls: ["stun:a.example"] }] };
	}

	event(): CallEvent {
		const peers =
			this.compositor === undefined ? [] : [{ id: "compositor" as const, connection: this.compositor, realTime: true }];
		return { type: "call", self: { id: "host", connection: "", realTime: true }, peers, iceServers: [] };
	}
}

class Stage {
	readonly call = new FakeCall();
	readonly stored = new Map<string, StoredWhipSession>();
	readonly reports: unknown[] = [];
	isAdmitted = true;
	sessions = this.#newSessions();
	#timers: { readonly atMs: number; readonly action: () => void }[] = [];
	#nowMs = 0;
	#ids = 0;

	#newSessions(): WhipSessions {
		return new WhipSessions(
			{
				call: () => this.call,
				members: () => this.call.members,
				isAdmitted: () => this.isAdmitted,
				store: {
					save: async (session) => void this.stored.set(session.id, session),
					remove: async (id) => void this.stored.delete(id),
				},
				newId: () => `id-${++this.#ids}`,
				newEtag: () => `etag-${++this.#ids}`,
				nowMs: () => this.#nowMs,
				after: (ms, action) => {
					const timer = { atMs: this.#nowMs + ms, action };
					this.#timers.push(timer);
					return () => {
						this.#timers = this.#timers.filter((each) => each !== timer);
					};
				},
				report: (...words) => this.reports.push(words),
			},
			[...this.stored.values()],
		);
	}

	get timers(): number {
		return this.#timers.length;
	}

	pass(ms: number): void {
		this.#nowMs += ms;
		for (const timer of this.#timers.filter(({ atMs }) => atMs <= this.#nowMs)) {
			timer.action();
		}
	}

	/** What an eviction does. */
	async forget(): Promise<void> {
		this.sessions = this.#newSessions();
		await this.sessions.recovered();
	}

	/** A word of a compositor's to whoever is in the call last. */
	hears(signal: Signal, from = "compositor-1"): void {
		const member = this.call.members.at(-1);
		if (member !== undefined) {
			this.sessions.signalled(member, { id: "compositor", connection: from }, signal);
		}
	}

	changed(): void {
		for (const member of [...this.call.members]) {
			this.sessions.callChanged(member, this.call.event());
		}
	}

	async session(): Promise<WhipAnswer> {
		const offered = this.sessions.whipOffer("host", 1, OFFER);
		await settled();
		this.hears(ANSWERED);
		return answerOf(await offered);
	}
}

const ANSWERED: Signal = { kind: "description", type: "answer", sdp: ANSWER };
const RESTART = TRICKLED.replace("abcd", "efgh");

/** Whatever was waiting for promises that are kept has gone on. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

function answerOf<T>(outcome: Outcome<T>): T {
	if (!outcome.ok) {
		throw new Error(outcome.refusal.detail);
	}
	return outcome.value;
}

function kindOf(outcome: Outcome<unknown>): string {
	return outcome.ok ? "done" : outcome.refusal.kind;
}

let stage: Stage;
beforeEach(() => {
	stage = new Stage();
});

describe("an offer", () => {
	test("is told a compositor once, and answered with what it says", async () => {
		const answer = await stage.session();
		expect(answer).toMatchObject({ sessionId: "id-2", sdp: ANSWER, iceServers: [{ urls: ["stun:a.example"] }] });
		expect(stage.call.said).toEqual([["id-1", { kind: "description", type: "offer", sdp: OFFER, complete: true }]]);
		expect([...stage.stored.values()]).toMatchObject([
			{ id: "id-2", connection: "id-1", person: "host", compositor: "compositor-1" },
		]);
		expect(stage.timers).toBe(0);
	});

	test("waits for a compositor, and is told the next where the first went", async () => {
		stage.call.compositor = undefined;
		const offered = stage.sessions.whipOffer("host", 1, OFFER);
		await settled();
		expect(stage.call.said).toEqual([]);
		for (const compositor of ["compositor-1", "compositor-2"]) {
			stage.call.compositor = compositor;
			stage.changed();
			stage.changed();
		}
		expect(stage.call.said).toHaveLength(2);
		stage.hears(ANSWERED, "compositor-1");
		stage.hears(ANSWERED, "compositor-2");
		expect(answerOf(await offered).sessionId).toBe("id-2");
		expect([...stage.stored.values()]).toMatchObject([{ compositor: "compositor-2" }]);
	});

	test.each([
		["is not answered", true, "answer within 10 s"],
		["is of a guest who waits", false, "still waiting"],
	])("that %s for ten seconds is refused, and nobody is left", async (_what, isAdmitted, words) => {
		stage.isAdmitted = isAdmitted;
		const offered = stage.sessions.whipOffer("host", 1, OFFER);
		await settled();
		stage.pass(ANSWER_WITHIN_MS - 1);
		expect(stage.call.members).toHaveLength(1);
		stage.pass(1);
		expect(await offered).toMatchObject({ refusal: { kind: "no-compositor", detail: expect.stringContaining(words) } });
		expect([stage.call.members, stage.stored.size, stage.timers]).toEqual([[], 0, 0]);
		stage.hears(ANSWERED);
	});

	test("from somebody who may not come is refused as the call does", async () => {
		stage.call.refusal = refused("broadcast-ended", "call: expected one that is not over, got one that is");
		expect(kindOf(await stage.sessions.whipOffer("host", 1, OFFER))).toBe("broadcast-ended");
		expect(stage.timers).toBe(0);
	});

	test("that is overtaken by a newer one is refused", async () => {
		const offered = stage.sessions.whipOffer("host", 1, OFFER);
		await settled();
		const [member] = stage.call.members.splice(0);
		if (member !== undefined) {
			stage.sessions.over(member, "call: a newer connection of the host took over");
		}
		expect(kindOf(await offered)).toBe("taken-over");
	});

	test("whose compositor goes while ICE servers are asked for is refused", async () => {
		stage.call.meanwhile = () => {
			stage.hears(ANSWERED);
			stage.call.compositor = "compositor-2";
			stage.changed();
		};
		expect(kindOf(await stage.sessions.whipOffer("host", 1, OFFER))).toBe("no-compositor");
		expect([stage.call.members, stage.stored.size]).toEqual([[], 0]);
	});
});

test("of a guest who waits to be let on air has no ICE servers made for it", async () => {
	let asked = 0;
	stage.call.meanwhile = () => asked++;
	stage.isAdmitted = false;
	const offered = stage.sessions.whipOffer("guest", 1, OFFER);
	await settled();
	expect(asked).toBe(0);
	stage.hears(ANSWERED);
	expect(answerOf(await offered).iceServers).toHaveLength(1);
});

describe("a session", () => {
	test("hands its candidates on with their credentials' name, and says when there are no more", async () => {
		const { sessionId, etag } = await stage.session();
		stage.call.said.splice(0);
		const patch = { sessionId, fragment: TRICKLED, match: [etag] };
		expect(await stage.sessions.whipPatch(patch)).toEqual(done(null));
		expect(stage.call.said.map(([, signal]) => signal)).toEqual([
			{
				...{ kind: "candidate", candidate: "candidate:2 1 udp 1 192.0.2.1 9 typ host" },
				...{ sdpMid: "0", usernameFragment: "abcd" },
			},
			{ kind: "candidate", candidate: "", sdpMLineIndex: 0, usernameFragment: "abcd" },
		]);
	});

	test.each([["any" as const], ["tag" as const]])("restarts ICE by new credentials (If-Match: %s)", async (by) => {
		const { sessionId, etag } = await stage.session();
		const match = by === "any" ? by : [etag];
		const patched = stage.sessions.whipPatch({ sessionId, fragment: RESTART, match });
		await settled();
		stage.hears({ ...ANSWERED, sdp: ANSWER.replaceAll("wxyz", "stuv") } as Signal);
		const restart = answerOf(await patched);
		expect(restart?.fragment).toContain("a=ice-ufrag:stuv");
		expect(restart?.etag).not.toBe(etag);
		const late = { sessionId, fragment: TRICKLED, match: [etag] };
		expect(kindOf(await stage.sessions.whipPatch(late))).toBe("precondition-failed");
	});

	test("goes on by its old credentials when an ICE restart is not answered", async () => {
		const { sessionId, etag } = await stage.session();
		const patched = stage.sessions.whipPatch({ sessionId, fragment: RESTART, match: "any" });
		const second = await stage.sessions.whipPatch({ sessionId, fragment: RESTART, match: "any" });
		expect(kindOf(second)).toBe("wrong-state");
		await settled();
		stage.pass(ANSWER_WITHIN_MS);
		expect(kindOf(await patched)).toBe("no-compositor");
		const fragment = TRICKLED;
		expect(kindOf(await stage.sessions.whipPatch({ sessionId, fragment, match: [etag] }))).toBe("done");
	});

	test.each([
		["is another", "compositor-2"],
		["is lost", undefined],
	])("is over when its compositor %s, also where it restarts ICE", async (_what, compositor) => {
		const { sessionId } = await stage.session();
		const patched = stage.sessions.whipPatch({ sessionId, fragment: RESTART, match: "any" });
		stage.call.compositor = compositor;
		stage.changed();
		expect(kindOf(await patched)).toBe("not-found");
		await settled();
		expect([stage.call.members, stage.stored.size, stage.reports]).toEqual([[], 0, []]);
		expect(kindOf(await stage.sessions.whipEnd(sessionId))).toBe("not-found");
	});

	test("is over when it is ended, its compositor says so, or it is thrown out", async () => {
		const ended = await stage.session();
		expect(kindOf(await stage.sessions.whipEnd(ended.sessionId))).toBe("done");
		expect(stage.call.said.at(-1)).toMatchObject(["id-1", { kind: "bye" }]);
		await stage.session();
		stage.hears({ kind: "bye", reason: "the line is dead" });
		await settled();
		await stage.session();
		const [thrown] = stage.call.members.splice(0);
		if (thrown !== undefined) {
			stage.sessions.over(thrown, "auth: what it came with was made worthless");
		}
		await settled();
		expect([stage.call.members, stage.stored.size]).toEqual([[], 0]);
	});

	test("is not known by what the others in the call see of it", async () => {
		const { sessionId } = await stage.session();
		const connection = stage.call.members[0]?.connection ?? "";
		expect(connection).not.toBe(sessionId);
		expect(kindOf(await stage.sessions.whipEnd(connection))).toBe("not-found");
		const restart = { sessionId: connection, fragment: RESTART, match: "any" } as const;
		expect(kindOf(await stage.sessions.whipPatch(restart))).toBe("not-found");
	});

	test("takes so many candidates in a short time, and more later", async () => {
		const { sessionId, etag } = await stage.session();
		const fragment = TRICKLED.replace("a=end", `${"a=candidate:3 1 udp 1 192.0.2.1 9 typ host\r\n".repeat(60)}a=end`);
		const patch = { sessionId, fragment, match: [etag] };
		const kinds: string[] = [];
		for (let each = 0; each < 10; each++) {
			kinds.push(kindOf(await stage.sessions.whipPatch(patch)));
		}
		expect([kinds[5], kinds[6], kinds.at(-1)]).toEqual(["done", "rate-limited", "rate-limited"]);
		stage.pass(2_000);
		expect(kindOf(await stage.sessions.whipPatch(patch))).toBe("done");
	});

	test("is not made an offer that no compositor would be told", async () => {
		const padding = `a=x:${"y".repeat(40_000)}\r\n`;
		const offered = stage.sessions.whipOffer("host", 1, OFFER + padding);
		await settled();
		stage.hears(ANSWERED);
		const { sessionId } = answerOf(await offered);
		const candidates = `a=candidate:${"z".repeat(1_000)}\r\n`.repeat(10);
		const fragment = RESTART.replace("a=end", `${candidates}a=end`);
		expect(kindOf(await stage.sessions.whipPatch({ sessionId, fragment, match: "any" }))).toBe("too-large");
	});

	test("hears nothing of people, nor of what an encoder cannot do", async () => {
		const { sessionId } = await stage.session();
		const [member] = stage.call.members;
		if (member !== undefined) {
			stage.sessions.signalled(member, { id: "guest", connection: "g" }, { kind: "bye", reason: "no" });
		}
		stage.hears({ kind: "restart" });
		stage.hears({ kind: "rate", advice: { maxHeight: 360 } });
		stage.hears(ANSWERED);
		expect(kindOf(await stage.sessions.whipEnd(sessionId))).toBe("done");
	});
});

describe("when the object was lost", () => {
	test("sessions go on, those that ended are forgotten, and who was never answered is nobody", async () => {
		const { sessionId, etag } = await stage.session();
		await stage.session();
		const [, { id: gone = "" } = {}] = [...stage.stored.values()];
		stage.call.members.pop();
		await stage.call.addVirtual({ person: "guest", connection: "never-answered", credentialsVersion: 1 }, 0);
		await stage.forget();
		expect(stage.call.members.map(({ connection }) => connection)).toEqual(["id-1"]);
		expect([...stage.stored.keys()]).toEqual([sessionId]);
		expect(kindOf(await stage.sessions.whipEnd(gone))).toBe("not-found");
		const patch = { sessionId, fragment: TRICKLED, match: [etag] };
		expect(kindOf(await stage.sessions.whipPatch(patch))).toBe("done");
	});

	test("a session whose compositor was lost meanwhile is over", async () => {
		const { sessionId } = await stage.session();
		stage.call.compositor = "compositor-2";
		await stage.forget();
		expect([stage.call.members, stage.stored.size]).toEqual([[], 0]);
		expect(kindOf(await stage.sessions.whipEnd(sessionId))).toBe("not-found");
	});
});
