import { describe, expect, test } from "vitest";
import { guestWords } from "../../../../web/join/guest-words.ts";
import { ApiRefusalError } from "../../../../web/lib/api-client.ts";
import type { SessionPerson } from "../../../../web/lib/session-types.ts";
import {
	type DestinationForm,
	destinationOf,
	destinationTitle,
	destinationTrouble,
	formFault,
	type ShownDestination,
} from "../../../../web/studio/destination-words.ts";
import { gainOfSlider, gainWords, sliderOfGain } from "../../../../web/studio/gain.ts";
import { errorWords } from "../../../../web/ui/error-words.ts";
import { adviceWords, initialsOf, personWords } from "../../../../web/ui/session-words.ts";
import { statusWords } from "../../../../web/ui/status-words.ts";
import { clockWords, countdownWords } from "../../../../web/ui/time-words.ts";
import { type AfterWord, overWords, whyOver } from "../../../../web/ui/why-over.ts";

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;

describe("time", () => {
	test.each([
		[0, "0:00"],
		[-5_000, "0:00"],
		[59_999, "0:59"],
		[61_000, "1:01"],
		[HOUR_MS + 2_000, "1:00:02"],
		[30 * HOUR_MS, "30:00:00"],
	])("shows %i ms as a clock: %s", (ms, words) => {
		expect(clockWords(ms)).toBe(words);
	});

	test.each([
		[1, "0:01"],
		[90 * SECOND_MS, "1:30"],
		[24 * HOUR_MS, "1 day 0 h"],
		[51 * HOUR_MS, "2 days 3 h"],
		[0, undefined],
		[-1, undefined],
	])("counts down %i ms: %s", (ms, words) => {
		expect(countdownWords(ms)).toBe(words);
	});

	test.each([
		[{ status: "live", startedAt: "2027-01-01T00:00:00Z" }, "Live 1:00"],
		[{ status: "live" }, "Live"],
		[{ status: "scheduled", scheduledStartTime: "2027-01-01T00:02:00Z" }, "Starts in 1:00"],
		[{ status: "lobby", scheduledStartTime: "2026-12-31T00:00:00Z" }, "Not live yet"],
		[{ status: "lobby" }, "Not live yet"],
		[{ status: "ended" }, "Over"],
	] as const)("says where a show stands: %o", (times, words) => {
		expect(statusWords(times, Date.parse("2027-01-01T00:01:00Z"))).toBe(words);
	});
});

describe("why it is over", () => {
	const status = (value: "live" | "ended" | "cancelled"): AfterWord => ({ kind: "status", status: value });

	test.each([
		[true, status("live"), "left"],
		[false, status("ended"), "ended"],
		[false, status("cancelled"), "cancelled"],
		[false, status("live"), "taken-over"],
		[false, { kind: "refused", status: 401 }, "removed"],
		[false, { kind: "refused", status: 404 }, "ended"],
		[false, { kind: "refused", status: 503 }, "gone"],
		[false, { kind: "no-answer" }, "gone"],
	] as const)("left on purpose: %s, afterwards %o: %s", (left, after, why) => {
		expect(whyOver(left, after)).toBe(why);
	});

	test("offers a way back only where there is one", () => {
		const kinds = ["left", "ended", "cancelled", "removed", "taken-over", "gone"] as const;
		expect(kinds.filter((kind) => overWords(kind, "guest").rejoin !== undefined)).toEqual([
			"left",
			"taken-over",
			"gone",
		]);
	});
});

describe("people", () => {
	const person: SessionPerson = { id: "guest", name: "Grace", live: true, admitted: true, muted: false };

	test.each([
		[{}, "live", "On air"],
		[{}, "lobby", "Here"],
		[{ live: false, admitted: false }, "live", "Not here"],
		[{ admitted: false }, "live", "Waiting to be let in"],
		[{ muted: true }, "live", "Muted for viewers"],
		[{ talk: "stream", muted: true }, "live", "No direct line: about a second late"],
		[{ talk: "relayed" }, "live", "On air"],
		[{ talk: "broken" }, "live", "Connection interrupted…"],
	] as const)("says how %o stands in a show that is %s: %s", (change, status, words) => {
		expect(personWords({ ...person, ...change }, status).text).toBe(words);
	});

	test.each([
		[undefined, "live", "Connecting…"],
		[{ admitted: false, muted: false }, "live", "Waiting to be let in"],
		[{ admitted: true, muted: false }, "lobby", "You are in, and not on air"],
		[{ admitted: true, muted: true }, "live", "You are on air, muted"],
		[{ admitted: true, muted: false }, "live", "You are on air"],
	] as const)("tells a guest (%o, %s) who sees and hears them: %s", (self, status, title) => {
		expect(guestWords(self, status, "Ada").title).toBe(title);
	});

	test.each([
		["Ada Lovelace", "AL"],
		["  ada  ", "A"],
		["Ada King of Lovelace", "AL"],
		["👩 x", "👩X"],
		["", ""],
	])("abbreviates %j to %j", (name, initials) => {
		expect(initialsOf(name)).toBe(initials);
	});
});

test.each([
	[
		{ maxHeight: 360, maxFrameRate: 20, maxBitrateBps: 800_000, reason: "loss" },
		"Lowered to at most 360 lines, 20 frames a second, 0.8 Mb/s: loss",
	],
	[{ maxHeight: 360 }, "Lowered to at most 360 lines"],
	[{ reason: "the encoder is slow" }, "the encoder is slow"],
	[{}, undefined],
])("says what a sender was asked for: %o", (advice, words) => {
	expect(adviceWords(advice)).toBe(words);
});

describe("gain", () => {
	test("is unchanged in the middle, silent at one end and four times as loud at the other", () => {
		expect([0, 100, 200].map(gainOfSlider)).toEqual([0, 1, 4]);
	});

	test("comes back to the place it was left at", () => {
		for (let position = 0; position <= 200; position += 5) {
			expect(sliderOfGain(gainOfSlider(position))).toBe(position);
		}
		expect(sliderOfGain(9)).toBe(200);
	});

	test.each([
		[0, "silent"],
		[1, "0 dB"],
		[2, "+6.0 dB"],
		[0.5, "-6.0 dB"],
	])("is read in decibels: %d is %s", (gain, words) => {
		expect(gainWords(gain)).toBe(words);
	});
});

describe("destinations", () => {
	const destination: ShownDestination = {
		id: "d",
		service: "custom",
		url: "rtmp://live.example.com:1936/app",
		hasStreamKey: true,
		state: "live",
		warnings: [],
	};
	const form: DestinationForm = { service: "custom", server: "", url: "", streamKey: "", name: "" };

	test("have the name they were given, their service's, or their host's", () => {
		const names = new Map([["youtube", "YouTube"]]);
		expect(destinationTitle(destination, names)).toBe("live.example.com:1936");
		expect(destinationTitle({ ...destination, service: "youtube" }, names)).toBe("YouTube");
		expect(destinationTitle({ ...destination, name: "Mine" }, names)).toBe("Mine");
	});

	test("say what went wrong while it does", () => {
		expect(destinationTrouble({ ...destination, lastError: "was broken" })).toBeUndefined();
		expect(destinationTrouble({ ...destination, state: "retrying", lastError: "is broken" })).toBe("is broken");
		expect(destinationTrouble({ ...destination, state: "refused", lastError: "Wrong key." })).toContain(
			"Wrong key. Check",
		);
	});

	test.each([
		[{ service: "youtube" }, /key/],
		[{ service: "youtube", streamKey: "k" }, undefined],
		[{ url: "https://live.example.com/app" }, /rtmp:/],
		[{ url: "rtmp://live.example.com" }, /path/],
		[{ url: " rtmps://live.example.com/app " }, undefined],
	] as const)("are not sent with something missing: %o", (change, fault) => {
		const found = formFault({ ...form, ...change });
		fault === undefined ? expect(found).toBeUndefined() : expect(found).toMatch(fault);
	});

	test("are asked for with nothing but what was filled in", () => {
		expect(destinationOf({ ...form, service: "youtube", url: "typed before", streamKey: " k " })).toEqual({
			service: "youtube",
			streamKey: "k",
		});
		expect(destinationOf({ ...form, url: " rtmp://a/b ", name: " Mine " })).toEqual({
			service: "custom",
			url: "rtmp://a/b",
			name: "Mine",
		});
		expect(destinationOf({ ...form, service: "youtube", server: "rtmps://b/c", streamKey: "k" }).url).toBe(
			"rtmps://b/c",
		);
	});
});

describe("errorWords", () => {
	const refusal = (status: number, detail = "broadcast: expected lobby, got ended") =>
		new ApiRefusalError(status, { type: "t", title: "No", status, detail, requestId: "r1" });

	test.each([
		[refusal(401), /does not work any more/],
		[refusal(404), /no such show/],
		[refusal(409), /expected lobby, got ended/],
		[refusal(500), /request r1/],
		[new ApiRefusalError(502, undefined), /could not do that/],
		[new TypeError("Failed to fetch"), /does not answer/],
		[new Error("The camera is gone."), /^The camera is gone\.$/],
		["?", /went wrong/],
	])("%#: says in words what there is to do", (error, words) => {
		expect(errorWords(error)).toMatch(words);
	});
});
