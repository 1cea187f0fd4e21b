import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { SessionState } from "../../../web/lib/session-types.ts";
import type { PersonId } from "../../../worker/protocol/roles.ts";
import { type CallPage, CallPages } from "./call-pages.ts";
import { FakeCall, tokenOf } from "./fake-call.ts";

/** Generous for a loaded machine; what works takes a second or two. */
const WITHIN_MS = 30_000;
/** Of 255: the made-up camera shows a moving pie and a clock, and is bright. */
const MOVES = 1;
const BRIGHT = 60;
/** The made-up microphone beeps once a second. */
const BEEP_WITHIN_MS = 2_500;
const AUDIBLE = 0.02;

let pages: CallPages;
let call: FakeCall;
const open: CallPage[] = [];

beforeAll(async () => {
	pages = await CallPages.open();
});
afterAll(async () => {
	await pages.close();
});
beforeEach(async () => {
	call = await FakeCall.open();
});
afterEach(async () => {
	for (const { page } of open.splice(0)) {
		await page.close();
	}
	await call.close();
});

async function person(id: PersonId, options: object = {}, beforehand?: string): Promise<CallPage> {
	const page = await blank(beforehand);
	await page.call("join", { url: `${call.origin}/studio/b1`, token: tokenOf(id), ...options });
	return page;
}

async function blank(beforehand?: string): Promise<CallPage> {
	const page = await pages.newPage("person", beforehand);
	open.push(page);
	return page;
}

async function compositor(refusing = false): Promise<CallPage> {
	const page = await pages.newPage("compositor");
	open.push(page);
	await page.call("open", call.origin, tokenOf("compositor"), refusing);
	return page;
}

const stateOf = (page: CallPage) => page.call<SessionState>("state");
const talkOf = async (page: CallPage, id: PersonId) =>
	(await stateOf(page)).people.find((each) => each.id === id)?.talk;

async function until<T>(what: string, look: () => Promise<T>, isRight: (value: T) => boolean): Promise<T> {
	const deadlineMs = Date.now() + WITHIN_MS;
	for (;;) {
		const value = await look();
		if (isRight(value)) {
			return value;
		}
		if (Date.now() > deadlineMs) {
			throw new Error(`test: expected ${what}, got ${JSON.stringify(value)}`);
		}
		await new Promise((resolve) => setTimeout(resolve, 100));
	}
}

const seesMoving = (page: CallPage, id: PersonId) =>
	until(
		`a moving picture of ${id}`,
		() => page.call<{ moves: number; brightness: number }>("look", id),
		({ moves, brightness }) => moves > MOVES && brightness > BRIGHT,
	);
const hears = (page: CallPage, id: PersonId) =>
	until(
		`to hear ${id}`,
		() => page.call<number>("listen", id, BEEP_WITHIN_MS),
		(loudest) => loudest > AUDIBLE,
	);

async function inConversation(): Promise<readonly [CallPage, CallPage]> {
	const host = await person("host");
	const guest = await person("guest");
	await until(
		"host to be connected",
		() => talkOf(host, "guest"),
		(talk) => talk === "connected",
	);
	await until(
		"guest to be connected",
		() => talkOf(guest, "host"),
		(talk) => talk === "connected",
	);
	return [host, guest];
}

describe("two people", () => {
	test("see each other move and hear each other, by one offer and one answer", async () => {
		const [host, guest] = await inConversation();
		await seesMoving(host, "guest");
		await seesMoving(guest, "host");
		await hears(host, "guest");
		await hears(guest, "host");
		expect(call.descriptions("host", "guest")).toEqual(["host offer", "guest answer"]);
		expect((await host.call<{ codecs: string[] }>("connection")).codecs).toEqual(["red", "VP8"]);
	});

	test("mute, let go of the camera and change devices without a new negotiation", async () => {
		const [host, guest] = await inConversation();
		await seesMoving(guest, "host");
		await host.call("setMicrophone", false);
		await until(
			"silence",
			() => guest.call<number>("listen", "host", BEEP_WITHIN_MS),
			(loudest) => loudest < 0.005,
		);
		await host.call("setCamera", false);
		expect((await host.call<{ tracks: number }>("leftOpen")).tracks).toBe(1);
		await until(
			"black",
			() => guest.call<{ brightness: number }>("look", "host"),
			({ brightness }) => brightness < 20,
		);
		const shown = (await stateOf(guest)).people.find(({ id }) => id === "host");
		expect(shown?.media).toEqual({ camera: false, microphone: false, screen: false });
		await host.call("setCamera", true);
		await host.call("setMicrophone", true);
		await seesMoving(guest, "host");
		const [before, after] = await host.call<string[][]>("useOthers");
		expect(before).toHaveLength(2);
		expect(after?.filter((label) => before?.includes(label))).toEqual([]);
		await seesMoving(guest, "host");
		await hears(guest, "host");
		await host.call("unplugCamera");
		await until(
			"another camera",
			() => stateOf(host),
			({ notices }) => notices.some(({ code }) => code === "device-lost"),
		);
		await seesMoving(guest, "host");
		expect(call.descriptions("host", "guest")).toHaveLength(2);
		expect(await guest.call<number>("streamCount", "host")).toBe(1);
	});

	test("restart ICE when asked, and go on", async () => {
		const [host, guest] = await inConversation();
		const before = await host.call<{ fragment: string }>("connection");
		call.say("guest", "host", { kind: "restart" });
		await until(
			"new ways",
			() => host.call<{ fragment: string }>("connection"),
			({ fragment }) => fragment !== before.fragment,
		);
		await until(
			"the guest's answer",
			async () => call.descriptions("host", "guest"),
			({ length }) => length === 4,
		);
		await seesMoving(guest, "host");
		await seesMoving(host, "guest");
	});

	test("come together although offer and answer are lost on their way", async () => {
		let lost = 0;
		call.drop = (_from, _to, { kind }) => {
			lost += kind === "description" ? 1 : 0;
			return kind === "description" && lost <= 2;
		};
		const [host] = await inConversation();
		await seesMoving(host, "guest");
	});

	test("stay together when one's control socket breaks", async () => {
		const [host, guest] = await inConversation();
		await seesMoving(host, "guest");
		call.cut("guest");
		await until(
			"a new connection",
			async () => call.descriptions("host", "guest"),
			({ length }) => length >= 4,
		);
		await until(
			"the guest",
			() => talkOf(host, "guest"),
			(talk) => talk === "connected",
		);
		await seesMoving(host, "guest");
		await seesMoving(guest, "host");
		await until(
			"one connection",
			() => host.call<{ connections: number }>("leftOpen"),
			({ connections }) => connections === 1,
		);
		expect(await host.call<number>("streamCount", "guest")).toBe(1);
	});

	test("a page that was frozen for 5 s comes back by itself", async () => {
		const [host, guest] = await inConversation();
		await seesMoving(host, "guest");
		const session = await guest.page.createCDPSession();
		await session.send("Page.setWebLifecycleState", { state: "frozen" });
		await new Promise((resolve) => setTimeout(resolve, 5_000));
		await session.send("Page.setWebLifecycleState", { state: "active" });
		await until(
			"the guest",
			() => talkOf(host, "guest"),
			(talk) => talk === "connected",
		);
		await seesMoving(host, "guest");
		await seesMoving(guest, "host");
	});

	test("leaving lets go of everything, and the other one sees it at once", async () => {
		const [host, guest] = await inConversation();
		await guest.call("leave");
		expect(await guest.call("leftOpen")).toEqual({ connections: 0, tracks: 0 });
		expect(await guest.call("ended")).toBe("You have left the show.");
		expect((await stateOf(guest)).connection).toBe("closed");
		await until(
			"nobody",
			() => talkOf(host, "guest"),
			(talk) => talk === undefined,
		);
		expect(call.members).toEqual(["host"]);
	});

	test("an older page of the same person ends, in words", async () => {
		const [host, guest] = await inConversation();
		const newer = await person("guest");
		await until(
			"the end",
			() => guest.call<string>("ended"),
			(reason) => /another window/.test(reason ?? ""),
		);
		expect(await guest.call("leftOpen")).toEqual({ connections: 0, tracks: 0 });
		await until(
			"the newer",
			() => talkOf(newer, "host"),
			(talk) => talk === "connected",
		);
		await seesMoving(host, "guest");
	});
});

describe("a guest", () => {
	test("waits to be admitted and sees nobody, then does; removed, it is over in words", async () => {
		call.admitted.delete("guest");
		const host = await person("host");
		const guest = await person("guest");
		expect((await stateOf(guest)).people.find(({ id }) => id === "guest")?.admitted).toBe(false);
		expect(call.descriptions("host", "guest")).toEqual([]);
		call.admitted.add("guest");
		call.tell();
		await seesMoving(guest, "host");
		call.dismiss("guest", "unauthorized", "auth: what it came with was made worthless");
		await until(
			"the end",
			() => guest.call<string>("ended"),
			(reason) => /removed/.test(reason ?? ""),
		);
		await until(
			"nobody",
			() => talkOf(host, "guest"),
			(talk) => talk === undefined,
		);
	});

	test("who may not use camera and microphone is told so and lets go of everything", async () => {
		const page = await blank();
		const denied = `navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", "NotAllowedError"))`;
		await page.page.evaluate(denied);
		const words = await page.call<string>("joinRefused", { url: `${call.origin}/join/b1`, token: tokenOf("guest") });
		expect(words).toMatch(/does not let this page use your camera and microphone/);
		expect(call.members).toEqual([]);
	});
});

describe("with a compositor", () => {
	test("pictures go to it one way, with the time they were captured at, as small as it asks", async () => {
		const mixer = await compositor();
		const host = await person("host");
		await until(
			"real time",
			() => stateOf(host),
			({ legs }) => legs.realTime === "connected",
		);
		const got = await until(
			"frames",
			() => mixer.call<{ offer: string; media: string[]; frames: number }>("received", "host"),
			({ frames }) => frames > 30,
		);
		expect(got.media).toEqual(["sendonly", "sendonly"]);
		expect(got.offer.match(/rtp-hdrext\/abs-capture-time/g)).toHaveLength(2);
		expect(got.offer).toMatch(/a=rtpmap:\d+ red\/48000\/2/);
		call.say("compositor", "host", { kind: "rate", advice: { maxHeight: 180, reason: "the mixer is busy" } });
		await until(
			"small pictures",
			() => mixer.call<{ height: number }>("received", "host"),
			({ height }) => height === 180,
		);
		const { advice, notices } = await stateOf(host);
		expect(advice?.maxHeight).toBe(180);
		expect(notices.map(({ code }) => code)).toEqual(["rate-lowered"]);
		call.say("compositor", "host", { kind: "rate", advice: {} });
		await until(
			"large pictures",
			() => mixer.call<{ height: number }>("received", "host"),
			({ height }) => height > 180,
		);
		expect((await stateOf(host)).notices).toEqual([]);
	});

	test("a guest whom it refuses publishes a stream instead, and the page says so", async () => {
		await compositor(true);
		const guest = await person("guest");
		const { legs, notices } = await until(
			"a stream",
			() => stateOf(guest),
			({ legs: { stream } }) => stream !== "off",
		);
		expect(legs.realTime).toBe("unavailable");
		expect(notices.map(({ code }) => code)).toContain("real-time-unavailable");
		await until(
			"its socket",
			async () => call.mediaPaths,
			(paths) => paths.some((path) => path.includes("/media/guest?")),
		);
	});

	test("a guest's browser without WebRTC publishes a stream at once", async () => {
		const guest = await person("guest", {}, "delete globalThis.RTCPeerConnection");
		await until(
			"a stream",
			() => stateOf(guest),
			({ legs: { stream } }) => stream !== "off",
		);
	});
});
