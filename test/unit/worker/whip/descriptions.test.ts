import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readFragment, restartFragment } from "../../../../worker/whip/fragment.ts";
import { iceLinks } from "../../../../worker/whip/ice-link.ts";
import { matchRefusal, whipMatch } from "../../../../worker/whip/if-match.ts";
import { answerFault, offerFault, restartedOffer } from "../../../../worker/whip/offer.ts";
import { ANSWER, CANDIDATE, OFFER, TRICKLED } from "../../../support/whip/descriptions.ts";

describe("an offer", () => {
	const video = OFFER.slice(OFFER.indexOf("m=video"));
	const audio = OFFER.slice(OFFER.indexOf("m=audio"), OFFER.indexOf("m=video"));

	test.each([
		["as RFC 9725 has it", OFFER],
		["with other ends of lines", OFFER.replaceAll("\r\n", "\n")],
		["without sound", OFFER.replace(audio, "").replace("BUNDLE 0 1", "BUNDLE 1")],
		["that also offers to receive", OFFER.replaceAll("sendonly", "sendrecv")],
		[
			"with what the whole of it has in common said once",
			OFFER.replaceAll(/a=(ice-.*|fingerprint.*)\r\n/g, "").replace(
				"t=0 0",
				"t=0 0\r\na=ice-ufrag:abcd\r\na=ice-pwd:p\r\na=fingerprint:sha-256 00",
			),
		],
		[
			"with a medium that only a bundle carries",
			OFFER.replace("m=video 9", "m=video 0").replace("a=mid:1", "a=mid:1\r\na=bundle-only"),
		],
	])("%s is taken", (_what, sdp) => {
		expect(offerFault(sdp)).toBeUndefined();
	});

	test.each([
		["v=0", "hello"],
		["v=0", ""],
		["one video track in the offer, got none", OFFER.replace("m=video", "m=text")],
		["one video track in the offer, got 2", OFFER + video.replace("a=mid:1", "a=mid:2")],
		["at most one audio track", OFFER + audio.replace("a=mid:0", "a=mid:2")],
		["tracks that send, got audio", OFFER.replace("sendonly", "recvonly")],
		["tracks that send, got audio", OFFER.replace("sendonly", "inactive")],
		["ICE credentials", OFFER.replaceAll("ice-pwd", "ice-word")],
		["a=fingerprint", OFFER.replaceAll("fingerprint", "thumb")],
		["a=group:BUNDLE", OFFER.replace("a=group:BUNDLE 0 1\r\n", "")],
		["a=group:BUNDLE", OFFER.replace("BUNDLE 0 1", "BUNDLE 0")],
		["a=rtcp-mux", OFFER.replace("a=rtcp-mux\r\n", "")],
	])("is refused for want of %s", (expected, sdp) => {
		const fault = offerFault(sdp);
		expect(fault).toContain(expected);
		expect(fault).toMatch(/^whip: expected .+, got /);
	});

	test("cut short anywhere is refused or taken, and never more", () => {
		for (let length = 0; length < OFFER.length; length++) {
			expect(["string", "undefined"]).toContain(typeof offerFault(OFFER.slice(0, length)));
		}
	});

	test("of an ICE restart has the new credentials and candidates, a version more, and is else the same", () => {
		const before = OFFER.replace("a=mid:0", "a=mid:0\r\na=candidate:old\r\na=end-of-candidates");
		const candidates = [
			{ candidate: "candidate:a", mid: undefined },
			{ candidate: "candidate:b", mid: "1" },
			{ candidate: "candidate:c", mid: "unknown" },
		];
		expect(restartedOffer(before, { ufrag: "new", password: "secret" }, candidates)).toBe(
			OFFER.replace("o=- 41 1", "o=- 41 2")
				.replaceAll("a=ice-ufrag:abcd", "a=ice-ufrag:new")
				.replaceAll("a=ice-pwd:0123456789012345678901", "a=ice-pwd:secret")
				.replace("a=mid:0", "a=mid:0\r\na=candidate:a")
				.replace("a=mid:1", "a=mid:1\r\na=candidate:b"),
		);
	});
});

test("an offer that names a medium a thousand times has each candidate once", () => {
	const before = OFFER.replaceAll("a=mid:0", Array(1_000).fill("a=mid:0").join("\r\n"));
	const candidates = Array.from({ length: 64 }, (_, at) => ({
		candidate: `candidate:${at} ${"x".repeat(700)}`,
		mid: "0",
	}));
	expect(restartedOffer(before, { ufrag: "new", password: "secret" }, candidates).length).toBeLessThan(64_000);
});

test.each(["", "x".repeat(257)])("ICE credentials that ICE does not allow are none", (ufrag) => {
	expect(offerFault(OFFER.replaceAll("abcd", ufrag))).toContain("expected ICE credentials");
	expect(readFragment(TRICKLED.replace("abcd", ufrag))).toContain("expected a=ice-ufrag and a=ice-pwd");
});

test("an answer that turns a track down is said to be one that nobody wants", () => {
	expect(answerFault(ANSWER)).toBeUndefined();
	expect(answerFault(ANSWER.replace("m=video 9", "m=video 0"))).toContain("expected video in H.264");
	expect(answerFault(ANSWER.replace("m=audio 9", "m=audio 0"))).toContain("expected audio in Opus");
});

describe("a fragment", () => {
	const ice = { ufrag: "abcd", password: "0123456789012345678901" };
	const first = { candidate: "candidate:2 1 udp 1 192.0.2.1 9 typ host", mid: "0" };

	test.each([
		["candidates and their end", TRICKLED, { ice, candidates: [first], isEnd: true }],
		["with other ends of lines", TRICKLED.replaceAll("\r\n", "\n"), { ice, candidates: [first], isEnd: true }],
		[
			"no credentials",
			"a=mid:x\na=candidate:1",
			{ ice: undefined, candidates: [{ candidate: "candidate:1", mid: "x" }], isEnd: false },
		],
		[
			"no medium",
			"a=candidate:1",
			{ ice: undefined, candidates: [{ candidate: "candidate:1", mid: undefined }], isEnd: false },
		],
		[
			"a medium after another",
			"m=audio 9 RTP/AVP 0\na=mid:a\nm=video 9 RTP/AVP 0\na=candidate:1",
			{ ice: undefined, candidates: [{ candidate: "candidate:1", mid: undefined }], isEnd: false },
		],
		["only the end", "a=end-of-candidates", { ice: undefined, candidates: [], isEnd: true }],
		[
			"only credentials, and what nobody knows",
			"a=x\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n",
			{ ice, candidates: [], isEnd: false },
		],
		[
			"one that is too long to hand on",
			`a=candidate:${"9".repeat(1_100)}\r\n${TRICKLED}`,
			{ ice, candidates: [first], isEnd: true },
		],
	])("of %s is read", (_what, text, expected) => {
		expect(readFragment(text)).toEqual(expected);
	});

	test.each([
		["nothing", ""],
		["words", "nothing"],
		["JSON", '{"candidate": "a=candidate:1"}'],
		["half of the credentials", "a=ice-ufrag:abcd\r\na=candidate:1\r\n"],
		["a description of media alone", "m=audio 9 RTP/AVP 0\r\na=mid:0\r\n"],
	])("of %s is none", (_what, text) => {
		expect(readFragment(text)).toMatch(/^whip: expected .+, got /);
	});

	test("holds so many candidates and no more", () => {
		const read = readFragment("a=candidate:1\r\n".repeat(1_000));
		expect(read).toMatchObject({ candidates: { length: 64 } });
	});

	test("of anything is read or refused, and never throws", () => {
		const line = fc.oneof(fc.string(), fc.constantFrom(...TRICKLED.split("\r\n"), ...OFFER.split("\r\n")));
		fc.assert(
			fc.property(fc.array(line), (lines) => {
				const text = lines.join("\r\n");
				expect(["string", "object"]).toContain(typeof readFragment(text));
				expect(["string", "undefined"]).toContain(typeof offerFault(text));
				expect(restartFragment(text)).toContain("a=end-of-candidates");
			}),
		);
	});

	test("that answers a restart holds the answer's credentials and each candidate once", () => {
		const answer = `${ANSWER}a=${CANDIDATE}\r\n`;
		expect(restartFragment(answer)).toBe(
			`a=ice-ufrag:wxyz\r\na=ice-pwd:0123456789012345678901\r\nm=audio 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\na=${CANDIDATE}\r\na=end-of-candidates\r\n`,
		);
		expect(readFragment(restartFragment(answer))).toMatchObject({ ice: { ufrag: "wxyz" }, candidates: { length: 1 } });
	});
});

describe("If-Match", () => {
	test.each([
		[undefined, "precondition-required"],
		['"other"', "precondition-failed"],
		['W/"tag"', "precondition-failed"],
		["tag", "precondition-failed"],
		["", "precondition-failed"],
		['"tag"', undefined],
		['"other", "tag"', undefined],
		["*", undefined],
		[" * ", undefined],
	])("of %s: %s", (header, kind) => {
		const refusal = matchRefusal(whipMatch(header), "tag");
		expect(refusal?.ok === false ? refusal.refusal.kind : undefined).toBe(kind);
	});
});

test("ICE servers are told as links, with credentials where they have any (RFC 9725 §4.6)", () => {
	const servers = [
		{ urls: ["stun:stun.example"] },
		{ urls: ["turn:turn.example?transport=udp", "turns:turn.example"], username: 'a"b', credential: "c\\d" },
	];
	expect(iceLinks(servers)).toEqual([
		'<stun:stun.example>; rel="ice-server"',
		'<turn:turn.example?transport=udp>; rel="ice-server"; username="a\\"b"; credential="c\\\\d"; credential-type="password"',
		'<turns:turn.example>; rel="ice-server"; username="a\\"b"; credential="c\\\\d"; credential-type="password"',
	]);
});

test.each([
	["a line's end", { urls: ["turn:t.example"], username: "u\r\nSet-Cookie: a", credential: "c" }],
	["letters beyond ASCII", { urls: ["turn:t.example"], username: "u", credential: "pä" }],
	["the end of the address", { urls: ["stun:t.example>;rel=next"] }],
])("a server that no header can hold is not told of: %s", (_, server) => {
	const links = iceLinks([server, { urls: ["stun:s.example"] }]);
	expect(links).toEqual(['<stun:s.example>; rel="ice-server"']);
});
