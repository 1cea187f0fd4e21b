import { describe, expect, test } from "vitest";
import { LOST_AFTER_MS, RETRY_EVERY_MS } from "../../../../web/lib/peers/line-health.ts";
import { joinWith } from "../../../../web/lib/session/join-with.ts";
import { JOIN_WITHIN_MS } from "../../../../web/lib/session/session.ts";
import type { BroadcastSession, JoinOptions } from "../../../../web/lib/session-types.ts";
import { GONE_AFTER_MS, STREAM_ONLY_AFTER_MS } from "../../../../web/lib/talk/neighbour.ts";
import { CLOSE } from "../../../../worker/protocol/close-codes.ts";
import type { ControlEvent } from "../../../../worker/protocol/control-messages.ts";
import type { PersonId } from "../../../../worker/protocol/roles.ts";
import { settle } from "../../../support/manual-clock.ts";
import { FakeTrack } from "./fakes/fake-media.ts";
import { FakePlatform } from "./fakes/fake-platform.ts";

const URL = "https://tandem.example/studio/b1";
const SECRET = "c2lnbmF0dXJl";
const tokenOf = (role: string) => `e30.${Buffer.from(JSON.stringify({ role })).toString("base64url")}.${SECRET}`;
const HOST = { id: "host", connection: "h1", realTime: true } as const;
const GUEST = { id: "guest", connection: "g1", realTime: true } as const;
const COMPOSITOR = { id: "compositor", connection: "compositor-1", realTime: true } as const;

function status(change: { admitted?: readonly string[]; liveStreams?: string[]; version?: number } = {}): ControlEvent {
	const { admitted = ["host", "guest"], liveStreams = [], version = 1 } = change;
	const people = (["host", "guest"] as const).map((id) => ({
		id,
		name: id === "host" ? "Ada" : "Grace",
		live: true,
		admitted: admitted.includes(id),
		muted: false,
	}));
	return { type: "status", status: "lobby", layout: "pip", liveStreams, version, people };
}

interface Joined {
	readonly fake: FakePlatform;
	readonly session: BroadcastSession;
	/** What was handed out to be seen and heard of others. */
	readonly remotes: (readonly [PersonId, MediaStream | undefined])[];
	readonly ends: string[];
	talk(): string | undefined;
	codes(): string[];
}

async function joined(person: "host" | "guest", fake = new FakePlatform(), first = status()): Promise<Joined> {
	const joining = joinWith({ url: URL, token: tokenOf(person) }, fake.platform);
	await settle();
	fake.open();
	fake.say(first);
	fake.call(person === "host" ? HOST : GUEST);
	const session = await joining;
	const remotes: [PersonId, MediaStream | undefined][] = [];
	const ends: string[] = [];
	session.on("remote", ({ person: other, stream }) => remotes.push([other, stream]));
	session.on("ended", ({ reason }) => ends.push(reason));
	const other = person === "host" ? "guest" : "host";
	return {
		fake,
		session,
		remotes,
		ends,
		talk: () => session.state.people.find(({ id }) => id === other)?.talk,
		codes: () => session.state.notices.map(({ code }) => code),
	};
}

/** The host's session with the guest's line working. */
async function inConversation(): Promise<Joined> {
	const all = await joined("host");
	all.fake.call(HOST, GUEST);
	await settle();
	const [line] = all.fake.connections;
	line?.bring(new FakeTrack("video", "v1"), new FakeTrack("audio", "a1"));
	line?.to("connected");
	await settle();
	return all;
}

const tracksOf = (stream: MediaStream | undefined) => stream?.getTracks().map(({ label }) => label);

describe("joining", () => {
	test("says that it is in the call on every new connection, and is in when it is known who else is", async () => {
		const { fake, session } = await joined("host");
		expect(fake.requests).toContainEqual({ type: "join-call", realTime: true, streams: true });
		expect(session.state).toMatchObject({
			person: "host",
			connection: "open",
			status: "lobby",
			media: { camera: true },
		});
		expect(session.state.legs).toEqual({ stream: "connecting", realTime: "off" });
		fake.break();
		expect(session.state.connection).toBe("broken");
		expect(session.state.notices.map(({ code }) => code)).toEqual(["control-broken"]);
		fake.open();
		const joins = fake.requests.filter((request) => request.type === "join-call");
		expect(joins.map(({ connection }) => connection)).toEqual([undefined, HOST.connection]);
		expect(session.state.notices).toEqual([]);
	});

	async function refused(
		happens: (fake: FakePlatform) => void | Promise<void>,
		options: Partial<JoinOptions> = {},
	): Promise<{ words: string; left: readonly unknown[] }> {
		const fake = new FakePlatform();
		const words = joinWith({ url: URL, token: tokenOf("guest"), ...options }, fake.platform).then(
			() => "joined",
			(error: Error) => error.message,
		);
		await happens(fake);
		await settle();
		return { words: await words, left: fake.leftOpen };
	}

	test.each<[string, (fake: FakePlatform) => void | Promise<void>, RegExp, Partial<JoinOptions>]>([
		[
			"a token that is worth nothing",
			async (fake) => {
				await settle();
				fake.control?.onRefused(CLOSE.unauthorized.code, "auth: expected a valid token, got another");
			},
			/link does not work any more/,
			{},
		],
		[
			"a show that is over",
			async (fake) => {
				await settle();
				fake.control?.onRefused(CLOSE.ended.code, "over");
			},
			/show is over/,
			{},
		],
		[
			"a call that does not take them",
			async (fake) => {
				await settle();
				fake.open();
				fake.say({ type: "error", title: "The request is not valid", detail: "call: expected host or guest" });
			},
			/The request is not valid: expected host or guest/,
			{},
		],
		["a server that does not answer", async (fake) => fake.clock.advance(JOIN_WITHIN_MS), /server does not answer/, {}],
		[
			"devices that they said no to",
			(fake) => void fake.devices.failures.push("NotAllowedError"),
			/does not let this page/,
			{},
		],
		["an address of nothing", () => {}, /not one of a show/, { url: "https://tandem.example/#token=secret" }],
		["a viewer's token", () => {}, /does not let you into the show/, { token: tokenOf("viewer") }],
	])("%s: says so in words, without the token, and leaves nothing open", async (_, happens, text, options) => {
		const { words, left } = await refused(happens, options);
		expect(words).toMatch(text);
		expect(words).not.toContain(SECRET);
		expect(left).toEqual([]);
	});

	test("passes over a status that is older than the one before", async () => {
		const { fake, session } = await joined("host", new FakePlatform(), status({ version: 5 }));
		fake.say(status({ version: 4, admitted: ["host"] }));
		expect(session.state.people[1]?.admitted).toBe(true);
	});
});

describe("conversation", () => {
	test("the host offers to a guest who comes, and shows them under one stream while tracks change", async () => {
		const { fake, remotes, talk } = await inConversation();
		expect(fake.toldTo("guest", "description")).toHaveLength(1);
		expect(fake.toldTo("guest", "media")).toEqual([{ kind: "media", camera: true, microphone: true, screen: false }]);
		expect(talk()).toBe("connected");
		const [, stream] = remotes.at(-1) ?? [];
		expect(tracksOf(stream)).toEqual(["v1", "a1"]);
		fake.connections[0]?.bring(new FakeTrack("video", "v2"));
		expect(tracksOf(stream)?.sort()).toEqual(["a1", "v2"]);
		expect(new Set(remotes.map(([, each]) => each)).size).toBe(1);
	});

	test("a guest waits for the host's offer", async () => {
		const { fake, talk } = await joined("guest");
		fake.call(GUEST, HOST);
		await settle();
		expect(fake.toldTo("host", "description")).toEqual([]);
		expect(talk()).toBe("connecting");
		fake.signal("host", "h1", { kind: "description", type: "offer", sdp: "a=ice-ufrag:x1\r\n" });
		await settle();
		expect(fake.toldTo("host", "description")).toHaveLength(1);
	});

	test("what comes of a connection before it is known is not lost", async () => {
		const { fake } = await joined("guest");
		fake.signal("host", "h1", { kind: "description", type: "offer", sdp: "a=ice-ufrag:x1\r\n" });
		fake.call(GUEST, HOST);
		await settle();
		expect(fake.toldTo("host", "description")).toHaveLength(1);
	});

	test("mute, camera and screen change what is sent and are said, without a new offer", async () => {
		const { fake, session } = await inConversation();
		const [line] = fake.connections;
		expect(line?.sent.map((track) => track?.label)).toEqual(["m1", "c1"]);
		await session.setMicrophone(false);
		expect(line?.sent[0]?.enabled).toBe(false);
		await session.setCamera(false);
		await settle();
		expect(line?.sent[1]?.label).toBe("black");
		await session.shareScreen();
		await settle();
		expect(line?.sent[1]?.label).toBe("screen");
		await session.useDevices({ microphoneId: "m2" });
		await settle();
		expect(line?.sent[0]?.label).toBe("m2");
		expect(fake.toldTo("guest", "media").at(-1)).toEqual({
			kind: "media",
			camera: false,
			microphone: false,
			screen: true,
		});
		expect(fake.toldTo("guest", "description")).toHaveLength(1);
		// The stream is black by itself.
		expect(fake.legs[0]?.tracks).toContain("- m1");
		expect(fake.legs[0]?.tracks.at(-1)).toBe("screen m2");
	});

	test("a newer connection of the other one takes the older one's place when it works, and not before", async () => {
		const { fake, remotes, talk } = await inConversation();
		fake.call(HOST, { ...GUEST, connection: "g2" });
		await settle();
		const [older, newer] = fake.connections;
		expect([fake.connections.length, older?.connectionState, talk()]).toEqual([2, "connected", "connected"]);
		expect(tracksOf(remotes.at(-1)?.[1])).toEqual(["v1", "a1"]);
		newer?.bring(new FakeTrack("video", "v9"));
		newer?.to("connected");
		await settle();
		expect([older?.connectionState, talk()]).toEqual(["closed", "connected"]);
		expect(tracksOf(remotes.at(-1)?.[1])).toEqual(["v9"]);
	});

	test("a line that works outlives a moment without signalling, but nobody who was sent away", async () => {
		const { fake, talk } = await inConversation();
		fake.call(HOST);
		await fake.clock.advance(GONE_AFTER_MS - 1);
		expect(talk()).toBe("connected");
		fake.call(HOST, GUEST);
		await fake.clock.advance(GONE_AFTER_MS);
		expect(fake.connections.map(({ connectionState }) => connectionState)).toEqual(["connected"]);
		fake.call(HOST);
		await fake.clock.advance(GONE_AFTER_MS);
		expect(talk()).toBeUndefined();
		fake.call(HOST, GUEST);
		await settle();
		fake.connections[1]?.to("connected");
		fake.say(status({ admitted: ["host"], version: 2 }));
		expect(talk()).toBeUndefined();
		expect(fake.connections[1]?.connectionState).toBe("closed");
	});

	test("who says goodbye is gone at once", async () => {
		const { fake, talk, remotes } = await inConversation();
		fake.signal("guest", "g1", { kind: "bye", reason: "left" });
		await settle();
		expect([talk(), remotes.at(-1)]).toEqual([undefined, ["guest", undefined]]);
	});

	test("goes by the streams when no direct line comes about, both ways, until one does", async () => {
		const { fake, session, talk, remotes, codes } = await joined("host");
		fake.call(HOST, GUEST);
		await fake.clock.advance(LOST_AFTER_MS);
		expect([fake.players.length, talk()]).toEqual([1, "broken"]);
		// Asleep, the host's stream would be of no use to the guest.
		expect(fake.legs.map(({ options }) => options.sleeps)).toEqual([true, false]);
		expect(fake.legs[0]?.isClosed).toBe(false);
		fake.legs[1]?.options.onState("sending");
		expect(fake.legs[0]?.isClosed).toBe(true);
		fake.players[0]?.options.onState("playing");
		expect(talk()).toBe("stream");
		expect(tracksOf(remotes.at(-1)?.[1])).toEqual(["played"]);
		expect(codes()).toEqual(["real-time-unavailable"]);
		await fake.clock.advance(RETRY_EVERY_MS - LOST_AFTER_MS);
		expect(fake.connections[0]?.restarts).toBe(1);
		fake.connections[0]?.bring(new FakeTrack("video", "v1"));
		fake.connections[0]?.to("connected");
		await settle();
		expect([talk(), fake.players[0]?.isClosed, session.state.notices]).toEqual(["connected", true, []]);
		expect(tracksOf(remotes.at(-1)?.[1])).toEqual(["v1"]);
		expect(fake.legs.map(({ options }) => options.sleeps)).toEqual([true, false, true]);
	});

	test("hears somebody who is there by their stream alone, once it is clear that they are", async () => {
		const { fake, talk } = await joined("guest", new FakePlatform(), status({ liveStreams: ["host"] }));
		expect(fake.players).toEqual([]);
		await fake.clock.advance(STREAM_ONLY_AFTER_MS);
		expect(fake.players.map(({ options }) => options.person)).toEqual(["host"]);
		fake.players[0]?.options.onState("playing");
		expect(talk()).toBe("stream");
	});

	test("asks whether the control socket still works when it says what mends a line, and says it again on the next", async () => {
		const { fake } = await inConversation();
		fake.connections[0]?.to("failed");
		await fake.clock.advance(2_000);
		expect(fake.reconnects).toBe(1);
		fake.break();
		fake.open();
		const offers = () => fake.toldTo("guest", "description").length;
		const before = offers();
		fake.call(HOST, GUEST);
		await settle();
		expect(offers()).toBe(before + 1);
		fake.call(HOST, GUEST);
		await settle();
		expect(offers()).toBe(before + 1);
	});

	test("looks for new ways on another network", async () => {
		const { fake } = await inConversation();
		for (const listener of fake.listeners) {
			listener();
		}
		await settle();
		expect(fake.connections[0]?.restarts).toBe(1);
	});
});

describe("with a compositor", () => {
	test("a guest sends to it once admitted, and streams instead where it refuses", async () => {
		const { fake, session, codes } = await joined("guest", new FakePlatform(), status({ admitted: ["host"] }));
		expect([session.state.legs.realTime, fake.connections.length, fake.legs.length]).toEqual(["off", 0, 0]);
		fake.say(status({ version: 2 }));
		expect(session.state.legs.realTime).toBe("waiting");
		fake.call(GUEST, COMPOSITOR);
		await settle();
		expect(session.state.legs).toEqual({ stream: "off", realTime: "connecting" });
		expect(fake.toldTo("compositor", "description")).toHaveLength(1);
		fake.signal("compositor", "compositor-1", { kind: "bye", reason: "no WebRTC" });
		await settle();
		expect(session.state.legs).toEqual({ stream: "connecting", realTime: "unavailable" });
		expect([codes(), fake.connections[0]?.connectionState]).toEqual([["real-time-unavailable"], "closed"]);
		await fake.clock.advance(RETRY_EVERY_MS);
		expect(fake.connections).toHaveLength(2);
		fake.connections[1]?.to("connected");
		await fake.clock.advance(10_000);
		expect(session.state.legs).toEqual({ stream: "off", realTime: "connected" });
		expect([codes(), fake.legs[0]?.isClosed]).toEqual([[], true]);
	});

	test("says while it is asked to send less, and why", async () => {
		const { fake, session, codes } = await joined("host");
		fake.call(HOST, COMPOSITOR);
		await settle();
		fake.signal("compositor", "compositor-1", {
			kind: "rate",
			advice: { maxHeight: 360, reason: "the mixer is busy" },
		});
		expect(session.state.advice).toEqual({ maxHeight: 360, reason: "the mixer is busy" });
		expect(codes()).toEqual(["rate-lowered"]);
		fake.signal("compositor", "compositor-1", { kind: "rate", advice: {} });
		expect([session.state.advice, codes()]).toEqual([undefined, []]);
	});
});

describe("the end", () => {
	test("leaving says goodbye and leaves nothing open, whatever was", async () => {
		const { fake, session, ends, remotes } = await inConversation();
		fake.call(HOST, GUEST, COMPOSITOR);
		await settle();
		await session.setCamera(false);
		await session.shareScreen();
		const command = session.command({ type: "start" }).catch((error: Error) => error.message);
		const leaving = session.leave();
		expect(fake.leftOpen).toEqual([]);
		await leaving;
		await session.leave();
		expect(await command).toMatch(/left the show/);
		expect(fake.toldTo("guest", "bye")).toHaveLength(1);
		expect(fake.requests.at(-1)).toEqual({ type: "leave-call" });
		expect(ends).toEqual(["You have left the show."]);
		expect(remotes.at(-1)).toEqual(["guest", undefined]);
		expect(session.state).toMatchObject({ connection: "closed", endReason: "You have left the show.", notices: [] });
		expect(await session.command({ type: "start" }).catch((error: Error) => error.message)).toMatch(/not in the show/);
		await fake.clock.advance(60_000);
		expect(fake.leftOpen).toEqual([]);
	});

	test.each([
		["takenOver", /another window/],
		["unauthorized", /removed/],
		["ended", /over/],
	] as const)("closed by the edge (%s) it is over in words, and nothing is left open", async (kind, words) => {
		const { fake, session, ends } = await inConversation();
		fake.isOpen = false;
		fake.control?.onRefused(CLOSE[kind].code, "the edge's own words");
		await settle();
		expect(ends).toHaveLength(1);
		expect(ends[0]).toMatch(words);
		expect(session.state.endReason).toMatch(words);
		expect(fake.leftOpen).toEqual([]);
	});

	test("a page that is closed says goodbye", async () => {
		const { fake } = await inConversation();
		for (const listener of fake.pageGone) {
			listener();
		}
		expect(fake.toldTo("guest", "bye")).toHaveLength(1);
	});
});
