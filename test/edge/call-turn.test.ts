import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { env as boundEnv } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import { TURN_TTL_S } from "../../worker/ice/cloudflare-turn.ts";
import { call, create, env, until } from "./api-client.ts";
import { CallPeer, type SeenCall, type SeenPeer } from "./call-peer.ts";
import { advanceClock, freezeClock } from "./frozen-clock.ts";

freezeClock();

const STUN = { urls: ["stun:stun.example"] };
const SECRET = "turn-api-token";
const TURN_MS = TURN_TTL_S * 1_000;

/** An object has the settings there are when it is made. */
function settings(changes: Record<string, string>): void {
	Object.assign(boundEnv, changes);
}

/** Cloudflare's service, with a number for each credential that it made. */
function turnService(answer?: () => Promise<Response>) {
	let made = 0;
	const fetch = globalThis.fetch;
	const urls: string[] = [];
	vi.spyOn(globalThis, "fetch").mockImplementation((input, init) => {
		if (!String(input).startsWith("https://rtc.live.cloudflare.com/")) {
			return fetch(input, init);
		}
		urls.push(String(input));
		made++;
		const turn = { urls: ["turn:turn.example:3478?transport=udp"], username: `user-${made}`, credential: "c" };
		return answer?.() ?? Promise.resolve(Response.json({ iceServers: [turn] }, { status: 201 }));
	});
	return { urls };
}

afterEach(() => {
	vi.restoreAllMocks();
	settings({ ICE_SERVERS: "", TURN_KEY_ID: "", TURN_KEY_API_TOKEN: "" });
});

const usersIn = ({ iceServers }: SeenCall) => iceServers.map(({ username }) => username);

test("each connection has TURN credentials of its own, keeps them through hibernation, and gets others before they run out", async () => {
	settings({ ICE_SERVERS: JSON.stringify([STUN]), TURN_KEY_ID: "key", TURN_KEY_API_TOKEN: SECRET });
	const { urls } = turnService();
	const { id, tokens } = await create();
	const [host, seenByHost] = await CallPeer.join(id, tokens.host);
	expect(seenByHost.iceServers[0]).toEqual(STUN);
	expect(usersIn(seenByHost)).toEqual([undefined, "user-1"]);
	expect(seenByHost.iceServersUntilMs).toBe(Date.now() + TURN_MS);
	const [guest, seenByGuest] = await CallPeer.join(id, tokens.guest);
	expect(usersIn(seenByGuest)).toEqual([undefined, "user-2"]);
	expect(usersIn(await host.call(["guest"]))).toEqual([undefined, "user-1"]);
	expect(urls[0]).toContain("/keys/key/credentials/");

	await evictDurableObject(env.BROADCAST.getByName(id));
	expect(usersIn(await guest.joins({ realTime: false }))).toEqual([undefined, "user-2"]);
	expect(usersIn(await host.call(["guest"]))).toEqual([undefined, "user-1"]);
	expect(urls).toHaveLength(2);

	await evictDurableObject(env.BROADCAST.getByName(id));
	advanceClock(TURN_MS - 20 * 60_000);
	await runDurableObjectAlarm(env.BROADCAST.getByName(id));
	const renewed = [await host.call(["guest"]), await guest.call(["host"])];
	expect(renewed.flatMap(usersIn).filter(Boolean).toSorted()).toEqual(["user-3", "user-4"]);
	expect(renewed[0]?.iceServersUntilMs).toBe(Date.now() + TURN_MS);
	expect(renewed[0]?.self).toEqual(seenByHost.self);
});

test("the call comes about without a service that fails, which is asked again later and reported without the secret", async () => {
	settings({ ICE_SERVERS: JSON.stringify([STUN]), TURN_KEY_ID: "key", TURN_KEY_API_TOKEN: SECRET });
	const errors = vi.spyOn(console, "error").mockImplementation(() => {});
	let fails = true;
	const late = { iceServers: [{ urls: "turn:t.example", username: "late", credential: "c" }] };
	const { urls } = turnService(async () => (fails ? new Response(SECRET, { status: 403 }) : Response.json(late)));
	const { id, tokens } = await create();
	const [host, seen] = await CallPeer.join(id, tokens.host);
	expect(seen.iceServers).toEqual([STUN]);
	await CallPeer.join(id, tokens.guest);
	expect((await host.call(["guest"])).iceServers).toEqual([STUN]);
	expect(urls).toHaveLength(1);
	const lines = errors.mock.calls.flat().join("\n");
	expect(lines).toContain("turn: expected status 201, got 403");
	expect(lines).not.toContain(SECRET);
	fails = false;
	advanceClock(60_000);
	await runDurableObjectAlarm(env.BROADCAST.getByName(id));
	await until("credentials after all", () =>
		host.control.messages.some((message) => JSON.stringify(message).includes('"late"')) ? true : undefined,
	);
});

test("who waits for admission has none of the deployment's ICE servers, and others' signals neither, until they are admitted", async () => {
	settings({ ICE_SERVERS: JSON.stringify([STUN]), TURN_KEY_ID: "key", TURN_KEY_API_TOKEN: SECRET });
	const { urls } = turnService();
	const { id, tokens } = await create({ guestAdmission: "manual" });
	const [guest, seen] = await CallPeer.join(id, tokens.guest);
	expect([seen.iceServers, seen.iceServersUntilMs, urls]).toEqual([[], undefined, []]);
	const [host, seenByHost] = await CallPeer.join(id, tokens.host);
	expect(seenByHost.peers).toEqual([]);
	guest.says(seenByHost.self as SeenPeer, { kind: "restart" });
	expect(await guest.hears()).toEqual([]);
	expect(await host.hears()).toEqual([]);
	await evictDurableObject(env.BROADCAST.getByName(id));
	expect((await call("POST", `/api/broadcasts/${id}/people/guest/admit`)).status).toBe(200);
	const admitted = await guest.call(["host"]);
	expect(usersIn(admitted)).toEqual([undefined, "user-2"]);
	expect(urls).toHaveLength(2);
});

test("who goes while credentials are made for them was never in the call", async () => {
	settings({ TURN_KEY_ID: "key", TURN_KEY_API_TOKEN: SECRET });
	let answers = false;
	const { urls } = turnService(async () => {
		await until("the test to let it answer", () => answers || undefined);
		return Response.json({ iceServers: [{ urls: "turn:t.example", username: "u", credential: "c" }] });
	});
	const { id, tokens } = await create();
	const guest = await CallPeer.open(id, tokens.guest);
	guest.control.send({ type: "join-call", realTime: true, streams: false });
	await until("the service to be asked", () => (urls.length === 1 ? true : undefined));
	guest.control.send({ type: "leave-call" });
	await guest.hears();
	answers = true;
	const seen = await guest.joins();
	expect(seen.peers).toEqual([]);
	expect(urls).toHaveLength(2);
	expect(await guest.hears()).toEqual([]);
});

test("a setting that makes no sense is an error in the log, and no server", async () => {
	const errors = vi.spyOn(console, "error").mockImplementation(() => {});
	settings({ ICE_SERVERS: '[{"urls":"turn:no-credentials.example"}]' });
	const { id, tokens } = await create();
	const [, seen] = await CallPeer.join(id, tokens.host);
	expect(seen.iceServers).toEqual([]);
	expect(errors.mock.calls.flat().join("\n")).toContain("expected ICE_SERVERS");
});
