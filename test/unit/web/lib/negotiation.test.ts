import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ANSWER_WITHIN_MS, Negotiation, type NegotiationSignal } from "../../../../web/lib/peers/negotiation.ts";
import { ManualClock, settle } from "../../../support/manual-clock.ts";
import { fragmentOf, ModelPeer } from "./fakes/model-peer.ts";

type Side = "impolite" | "polite";

/** Two peers and the lines between them, along which nothing moves by itself. */
class Pair {
	readonly clock = new ManualClock();
	readonly problems: unknown[] = [];
	readonly peers: Readonly<Record<Side, ModelPeer>>;
	readonly ends: Readonly<Record<Side, Negotiation>>;
	/** On their way, by whom they are for. */
	readonly lines: Readonly<Record<Side, NegotiationSignal[]>> = { impolite: [], polite: [] };
	readonly sent: string[] = [];

	constructor(turns: () => number = () => 1) {
		this.peers = { impolite: new ModelPeer("i", turns), polite: new ModelPeer("p", turns) };
		this.ends = { impolite: this.#end("impolite"), polite: this.#end("polite") };
	}

	#end(side: Side): Negotiation {
		const other = side === "polite" ? "impolite" : "polite";
		return new Negotiation(this.peers[side], {
			clock: this.clock,
			polite: side === "polite",
			send: (signal) => {
				this.lines[other].push(signal);
				this.sent.push(`${side} ${signal.kind === "description" ? signal.type : "candidate"}`);
			},
			onProblem: (error) => this.problems.push(error),
		});
	}

	/** The next message to a side comes, or is lost. */
	async step(to: Side, lost = false): Promise<void> {
		const signal = this.lines[to].shift();
		if (signal !== undefined && !lost) {
			this.ends[to].receive(signal);
		}
		await settle();
	}

	/** Everything that is under way comes, until nothing is. */
	async flow(): Promise<void> {
		await settle();
		while (this.lines.impolite.length + this.lines.polite.length > 0) {
			await this.step("impolite");
			await this.step("polite");
		}
	}

	expectAgreed(): void {
		const { impolite, polite } = this.peers;
		expect([impolite.signalingState, polite.signalingState]).toEqual(["stable", "stable"]);
		expect(fragmentOf(impolite.remoteDescription?.sdp)).toBe(fragmentOf(polite.localDescription?.sdp));
		expect(fragmentOf(polite.remoteDescription?.sdp)).toBe(fragmentOf(impolite.localDescription?.sdp));
	}
}

describe("Negotiation", () => {
	test("agrees by one offer and one answer", async () => {
		const pair = new Pair();
		pair.peers.impolite.needNegotiation();
		await pair.flow();
		pair.expectAgreed();
		expect(pair.sent.filter((text) => !text.endsWith("candidate"))).toEqual(["impolite offer", "polite answer"]);
		expect(pair.peers.polite.candidates).toEqual(["i1"]);
		expect(pair.peers.impolite.candidates).toEqual(["p1"]);
		expect(pair.problems).toEqual([]);
	});

	test("when both offer at once the polite one takes its own back, and offers again what is still wanted", async () => {
		const pair = new Pair();
		pair.peers.impolite.needNegotiation();
		await pair.flow();
		pair.peers.impolite.restartIce();
		pair.peers.polite.needNegotiation();
		await settle();
		expect(pair.peers.polite.signalingState).toBe("have-local-offer");
		await pair.flow();
		pair.expectAgreed();
		expect(fragmentOf(pair.peers.impolite.localDescription?.sdp)).toBe("i2");
		expect(pair.problems).toEqual([]);
	});

	test("keeps candidates that come ahead of their description", async () => {
		const pair = new Pair();
		pair.ends.impolite.receive({ kind: "candidate", candidate: "early", usernameFragment: "p1" });
		pair.peers.impolite.needNegotiation();
		await pair.flow();
		expect(pair.peers.impolite.candidates).toEqual(["p1", "p1"]);
		expect(pair.problems).toEqual([]);
	});

	test.each(["offer", "answer"])("asks again when the %s was lost", async (kind) => {
		const pair = new Pair();
		pair.peers.impolite.needNegotiation();
		await settle();
		await pair.step("polite", kind === "offer");
		await pair.step("impolite", kind === "answer");
		await pair.clock.advance(ANSWER_WITHIN_MS);
		await pair.flow();
		pair.expectAgreed();
		await pair.clock.advance(10 * ANSWER_WITHIN_MS);
		expect(pair.sent.filter((text) => text === "impolite offer")).toHaveLength(2);
	});

	test("does not take the second answer to one offer for the answer to the next", async () => {
		const pair = new Pair();
		pair.peers.impolite.needNegotiation();
		await settle();
		await pair.clock.advance(ANSWER_WITHIN_MS);
		// Two of the same offer are under way.
		while (pair.lines.polite.length > 0) {
			await pair.step("polite");
		}
		await pair.step("impolite");
		pair.ends.impolite.restartIce();
		await settle();
		expect(pair.peers.impolite.signalingState).toBe("have-local-offer");
		await pair.flow();
		pair.expectAgreed();
		expect(fragmentOf(pair.peers.impolite.localDescription?.sdp)).toBe("i2");
		expect(fragmentOf(pair.peers.impolite.remoteDescription?.sdp)).toBe("p2");
	});

	test("a restart asked for while an offer waits follows its answer", async () => {
		const pair = new Pair();
		pair.peers.impolite.needNegotiation();
		await settle();
		pair.ends.impolite.restartIce();
		await pair.flow();
		pair.expectAgreed();
		expect(fragmentOf(pair.peers.polite.remoteDescription?.sdp)).toBe("i2");
	});

	test("offers as munged, and as the platform does where that is not taken", async () => {
		const pair = new Pair();
		const sent: NegotiationSignal[] = [];
		const problems: unknown[] = [];
		const peer = new ModelPeer("m");
		const options = { clock: pair.clock, polite: false, send: (signal: NegotiationSignal) => sent.push(signal) };
		new Negotiation(peer, {
			...options,
			mungeOffer: (sdp) => `${sdp}a=extmap:9\r\n`,
			onProblem: (error) => problems.push(error),
		});
		peer.needNegotiation();
		await settle();
		expect(sent).toContainEqual(expect.objectContaining({ sdp: expect.stringContaining("a=extmap:9") }));
		const stubborn = new ModelPeer("s");
		const native = stubborn.setLocalDescription.bind(stubborn);
		stubborn.setLocalDescription = (description) =>
			description === undefined ? native() : Promise.reject(new DOMException("no", "InvalidModificationError"));
		new Negotiation(stubborn, { ...options, mungeOffer: (sdp) => sdp, onProblem: (error) => problems.push(error) });
		stubborn.needNegotiation();
		await settle();
		expect(stubborn.signalingState).toBe("have-local-offer");
		expect(problems).toHaveLength(1);
	});

	test("says nothing any more when it is closed, and leaves no timer", async () => {
		const pair = new Pair();
		pair.peers.impolite.needNegotiation();
		await settle();
		const said = pair.sent.length;
		pair.ends.impolite.close();
		pair.ends.impolite.close();
		pair.ends.impolite.receive({ kind: "description", type: "offer", sdp: "a=ice-ufrag:p1" });
		pair.ends.impolite.restartIce();
		await pair.clock.advance(10 * ANSWER_WITHIN_MS);
		expect(pair.sent).toHaveLength(said);
		expect(pair.clock.pending).toBe(0);
	});

	test("agrees in the end, whatever is offered, lost and late on the way", async () => {
		const side = fc.constantFrom<Side>("impolite", "polite");
		const action = fc.oneof(
			{ weight: 4, arbitrary: fc.record({ kind: fc.constant("deliver" as const), side }) },
			{ weight: 1, arbitrary: fc.record({ kind: fc.constant("lose" as const), side }) },
			{ weight: 1, arbitrary: fc.record({ kind: fc.constant("restart" as const), side }) },
			{ weight: 1, arbitrary: fc.record({ kind: fc.constant("need" as const), side }) },
			{ weight: 1, arbitrary: fc.record({ kind: fc.constant("remind" as const), side }) },
		);
		const turns = fc.infiniteStream(fc.integer({ min: 1, max: 4 }));
		await fc.assert(
			fc.asyncProperty(fc.array(action, { maxLength: 25 }), turns, async (actions, turnsOf) => {
				const pair = new Pair(() => turnsOf.next().value ?? 1);
				pair.peers.impolite.needNegotiation();
				for (const { kind, side: on } of actions) {
					if (kind === "restart") {
						pair.ends[on].restartIce();
					} else if (kind === "need") {
						pair.peers[on].needNegotiation();
					} else if (kind === "remind") {
						await pair.clock.advance(ANSWER_WITHIN_MS);
					} else {
						await pair.step(on, kind === "lose");
					}
				}
				for (let round = 0; round < 4; round++) {
					await pair.flow();
					await pair.clock.advance(ANSWER_WITHIN_MS);
				}
				await pair.flow();
				pair.expectAgreed();
			}),
			{ numRuns: 60 },
		);
	});
});
