import { describe, expect, test } from "vitest";
import { broadcastAddress } from "../../../../web/lib/session/broadcast-address.ts";
import { EarlySignals } from "../../../../web/lib/session/early-signals.ts";
import { wayNotices } from "../../../../web/lib/session/session-notices.ts";
import {
	initialState,
	SessionStore,
	type StatusEvent,
	withAcquaintances,
	withNotice,
	withoutNotice,
	withStatus,
} from "../../../../web/lib/session/session-state.ts";
import { personOfToken } from "../../../../web/lib/session/token-person.ts";
import { commandWords, endWords, refusalWords } from "../../../../web/lib/session/words.ts";
import type { Notice, SessionState } from "../../../../web/lib/session-types.ts";
import { CLOSE } from "../../../../worker/protocol/close-codes.ts";

const MEDIA = { camera: true, microphone: true, screen: false };
const ADA = { id: "host", name: "Ada", live: true, admitted: true, muted: false } as const;
const GRACE = { id: "guest", name: "Grace", live: true, admitted: false, muted: false } as const;
const STATUS: StatusEvent = {
	type: "status",
	status: "live",
	layout: "pip",
	liveStreams: [],
	program: "composite",
	labels: false,
	people: [ADA, GRACE],
};
const LOST: Notice = { code: "device-lost", level: "error", text: "gone" };

describe("session state", () => {
	test("takes on what the broadcast says, and keeps what is known of people beside it", () => {
		const first = withStatus(initialState("host", MEDIA), STATUS);
		expect(first).toMatchObject({ status: "live", program: "composite", layout: "pip", labels: false });
		const met = withAcquaintances(first, new Map([["guest", { talk: "connected", media: MEDIA }]]));
		expect(met.people).toEqual([ADA, { ...GRACE, talk: "connected", media: MEDIA }]);
		const later = withStatus(met, { ...STATUS, people: [ADA, { ...GRACE, admitted: true }] });
		expect(later.people[1]).toEqual({ ...GRACE, admitted: true, talk: "connected", media: MEDIA });
		expect(withAcquaintances(later, new Map()).people[1]).toEqual({ ...GRACE, admitted: true });
		expect(withStatus(later, { ...STATUS, people: [ADA] }).people).toEqual([ADA]);
	});

	test("has one notice of a kind, the newest", () => {
		const state = withNotice(withNotice(initialState("host", MEDIA), LOST), { ...LOST, text: "still gone" });
		expect(state.notices).toEqual([{ ...LOST, text: "still gone" }]);
		expect(withoutNotice(state, "device-lost").notices).toEqual([]);
	});

	test("is handed on when something of it has changed, and only then", () => {
		const seen: SessionState[] = [];
		const store = new SessionStore(initialState("host", MEDIA), (state) => seen.push(state));
		store.change((state) => ({ ...state, connection: "open" }));
		store.change((state) => ({ ...state, connection: "open" }));
		store.change((state) => withStatus(state, STATUS));
		expect(seen.map(({ connection, status }) => `${connection} ${status}`)).toEqual(["open unknown", "open live"]);
		expect(store.state).toBe(seen[1]);
	});

	test.each([
		["https://tandem.example/studio/abc_1", "https://tandem.example", "abc_1"],
		["https://tandem.example:8443/join/abc#token=secret", "https://tandem.example:8443", "abc"],
		["http://127.0.0.1:8787/api/broadcasts/a-b/media/host?x=1", "http://127.0.0.1:8787", "a-b"],
	])("finds the broadcast of %s", (url, apiUrl, broadcastId) => {
		expect(broadcastAddress(url)).toEqual({ apiUrl, broadcastId });
	});

	test.each([
		"",
		"studio/abc",
		"https://tandem.example/",
		"https://tandem.example/watch/abc#token=secret",
		"ftp://a/join/b",
	])("does not take %j for a broadcast's address, nor repeats it", (url) => {
		expect(() => broadcastAddress(url)).toThrow(/^This address is not one of a show/);
	});

	const token = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.c2ln`;
	test.each([
		["a host's token", token({ role: "host" }), "host"],
		["a second guest's token", token({ role: "guest", pid: "guest-2" }), "guest-2"],
		["a host's stream key", "b1-host-4f9a", "host"],
		["a third guest's stream key", "b1-guest-3-4f9a", "guest-3"],
		["a viewer's token", token({ role: "viewer" }), undefined],
		["three words", "a.b.c", undefined],
		["nothing", "", undefined],
	])("knows whom %s is for", (_, text, person) => {
		expect(personOfToken(text)).toBe(person);
	});

	test("keeps what comes of a connection before it is known, and gives it out once", () => {
		const early = new EarlySignals();
		early.keep("a", { kind: "restart" });
		early.keep("b", { kind: "bye", reason: "left" });
		early.keep("a", { kind: "candidate", candidate: "1" });
		expect(early.take("a").map(({ kind }) => kind)).toEqual(["restart", "candidate"]);
		expect(early.take("a")).toEqual([]);
		for (let index = 0; index < 1_000; index++) {
			early.keep("c", { kind: "restart" });
		}
		expect(early.take("c").length).toBeLessThanOrEqual(200);
		expect(early.take("b")).toEqual([]);
	});
});

describe("words", () => {
	test.each([
		[CLOSE.takenOver.code, /another window/],
		[CLOSE.ended.code, /over/],
		[CLOSE.unauthorized.code, /removed/],
		[CLOSE.forbidden.code, /does not let you/],
		[1000, /closed the connection: planned/],
	])("say why %i is the end", (code, words) => {
		expect(endWords(code, "auth: planned")).toMatch(words);
	});

	test("say of a token at the door that it is worth nothing, rather than that one was removed", () => {
		expect(refusalWords(CLOSE.unauthorized.code, "")).toMatch(/link does not work any more/);
	});

	test("leave out which part of the edge said no", () => {
		expect(commandWords("Not in this state", "broadcast: expected lobby, got live")).toBe(
			"Not in this state: expected lobby, got live.",
		);
	});

	const ways = {
		realTime: "connected",
		fallback: false,
		canStream: true,
		isWithOthers: true,
		people: [],
		advice: undefined,
	} as const;
	test("say nothing where all is well, nor to a host who is alone", () => {
		expect(wayNotices(ways)).toEqual([]);
		expect(wayNotices({ ...ways, fallback: true, isWithOthers: false })).toEqual([]);
	});

	test("say what stands in for what does not come about", () => {
		const codes = (change: object) => wayNotices({ ...ways, ...change }).map(({ code, level }) => `${code} ${level}`);
		expect(codes({ fallback: true })).toEqual(["real-time-unavailable warning"]);
		expect(codes({ fallback: true, canStream: false })).toEqual(["real-time-unavailable error"]);
		expect(codes({ people: [{ ...GRACE, talk: "stream" }] })).toEqual(["real-time-unavailable warning"]);
		expect(codes({ realTime: "broken", advice: { maxHeight: 180, reason: "busy" } })).toEqual([
			"real-time-broken warning",
			"rate-lowered info",
		]);
	});
});
