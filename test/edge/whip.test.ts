import { env as boundEnv } from "cloudflare:workers";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Broadcast } from "../../worker/broadcast/broadcast.ts";
import { ANSWER, CANDIDATE, OFFER, TRICKLED } from "../support/whip/descriptions.ts";
import { type Created, call, create, env, problem, until } from "./api-client.ts";
import { CallPeer } from "./call-peer.ts";
import { replaceObject } from "./replace-object.ts";
import { RunnerPeer } from "./runner-peer.ts";

const SDP = { "Content-Type": "application/sdp" };
const FRAGMENT = { "Content-Type": "application/trickle-ice-sdpfrag" };
const open: RunnerPeer[] = [];
afterEach(() => {
	vi.restoreAllMocks();
	for (const runner of open.splice(0)) {
		runner.close();
	}
});

const post = (streamKey: string, body: string = OFFER, headers: Record<string, string> = {}) =>
	call("POST", "/api/whip", { token: streamKey, body, headers: { ...SDP, ...headers } });

/** A broadcast and a runner with a place for its compositor. */
async function setUp() {
	const created = await create();
	const runner = await RunnerPeer.connect(`runner-${created.id}`, 1);
	open.push(runner);
	return { created, runner, key: created.ingest.host.rtmp.streamKey };
}

/** The compositor that was leased, at its control socket. */
async function compositorOf(runner: RunnerPeer, id: string): Promise<CallPeer> {
	const { token } = await runner.assigned(id);
	return CallPeer.open(id, token);
}

async function answers(compositor: CallPeer, sdp: string = ANSWER): Promise<Record<string, unknown>> {
	const offered = await compositor.control.take("signal", ({ signal }) => kindOf(signal) === "description");
	const { from: to, connection } = offered;
	compositor.control.send({ type: "signal", to, connection, signal: { kind: "description", type: "answer", sdp } });
	return offered;
}

const textOf = async (response: Response) => new TextDecoder().decode(await response.arrayBuffer());

const isOffer = ({ signal }: Record<string, unknown>) => signal !== undefined && kindOf(signal) === "description";

const kindOf = (signal: unknown) => (signal as { kind: string }).kind;

/** Whether the host, or whoever has that place, is live. */
async function isThere(id: string, place = 0): Promise<boolean | undefined> {
	const { people } = await (await call("GET", `/api/broadcasts/${id}`)).json<Created>();
	return people[place]?.live;
}

const stubOf = (id: string) => env.BROADCAST.getByName(id) as unknown as DurableObjectStub;

/** A session that was answered. */
async function session() {
	const { created, runner, key } = await setUp();
	const posted = post(key);
	const { token, leaseId } = await runner.assigned(created.id);
	const compositor = await CallPeer.open(created.id, token);
	await answers(compositor);
	const { headers } = await posted;
	const [location = "", etag = ""] = [headers.get("Location") ?? "", headers.get("ETag") ?? ""];
	return { created, runner, leaseId, key, compositor, location, etag };
}

describe("an encoder's offer", () => {
	test("is answered by the compositor that it makes necessary, with everything that RFC 9725 asks for", async () => {
		const { created, runner, key } = await setUp();
		const posted = post(key);
		const compositor = await compositorOf(runner, created.id);
		const offered = await answers(compositor);
		expect(offered).toMatchObject({ from: "host", signal: { type: "offer", sdp: OFFER, complete: true } });
		const response = await posted;
		expect(response.status).toBe(201);
		expect(await textOf(response)).toBe(ANSWER);
		expect(response.headers.get("Content-Type")).toBe("application/sdp");
		expect(response.headers.get("Location")).toMatch(new RegExp(`^/api/whip/sessions/${created.id}/[0-9a-z]{16}$`));
		expect(response.headers.get("ETag")).toMatch(/^"[0-9a-z]{16}"$/);
		expect(response.headers.get("Accept-Patch")).toBe("application/trickle-ice-sdpfrag");
		expect(response.headers.get("Access-Control-Expose-Headers")).toContain("Location");
		expect(await (await call("GET", `/api/broadcasts/${created.id}`)).json()).toMatchObject({
			people: [{ id: "host", live: true }, {}],
		});
	});

	test("may hold the key in its address, and is refused with a wrong one", async () => {
		const { created, runner, key } = await setUp();
		const posted = call("POST", `/api/whip/${key}`, { token: undefined, body: OFFER, headers: SDP });
		await answers(await compositorOf(runner, created.id));
		expect((await posted).status).toBe(201);
		expect(created.ingest.host.whip.url).toContain(`/api/whip/${key}`);
		const wrong = await call("POST", `/api/whip/${key.slice(0, -4)}0000`, {
			token: undefined,
			body: OFFER,
			headers: SDP,
		});
		const document = await problem(wrong, 401, "unauthorized");
		expect(JSON.stringify(document)).not.toContain(key.slice(-24, -4));
	});

	test.each([
		["another type", 415, "unsupported-media-type", OFFER, { "Content-Type": "application/json" }],
		["no SDP", 400, "invalid-request", "hello", {}],
		["no video", 400, "invalid-request", OFFER.replace("m=video", "m=text"), {}],
		["only ears", 400, "invalid-request", OFFER.replaceAll("sendonly", "recvonly"), {}],
		["no credentials", 400, "invalid-request", OFFER.replaceAll("a=ice-", "a=x-"), {}],
		["no type", 415, "unsupported-media-type", OFFER, { "Content-Type": "" }],
		["too much", 413, "too-large", OFFER + "a=x\r\n".repeat(20_000), {}],
	])("of %s is refused", async (_what, status, kind, body, headers) => {
		const { key } = await setUp();
		const response = await post(key, body, { ...headers, Origin: "https://a.example" });
		expect(response.headers.get("Access-Control-Allow-Origin")).toBe("*");
		const { detail } = await problem(response, status, kind);
		expect(detail).not.toContain(key);
	});

	test("that a compositor cannot take is refused with its words, and leaves nobody there", async () => {
		const { created, runner, key } = await setUp();
		const posted = post(key);
		const compositor = await compositorOf(runner, created.id);
		const { from: to, connection } = await compositor.control.take("signal");
		compositor.control.send({ type: "signal", to, connection, signal: { kind: "bye", reason: "expected VP8" } });
		expect(await problem(await posted, 400, "invalid-request")).toMatchObject({ detail: "whip: expected VP8" });
		expect(await isThere(created.id)).toBe(false);
	});

	test("of which the compositor takes the sound only is refused, and leaves nobody there", async () => {
		const { created, runner, key } = await setUp();
		const posted = post(key);
		await answers(await compositorOf(runner, created.id), ANSWER.replace("m=video 9", "m=video 0"));
		expect((await problem(await posted, 400, "invalid-request")).detail).toContain("expected video in H.264");
		expect(await isThere(created.id)).toBe(false);
	});

	test("is answered by a compositor that comes in place of one that said nothing", async () => {
		const { created, runner, key } = await setUp();
		const posted = post(key);
		const first = await runner.assigned(created.id);
		const silent = await CallPeer.open(created.id, first.token);
		await silent.control.take("signal");
		runner.released(first.leaseId, "crashed");
		await answers(await compositorOf(runner, created.id));
		expect((await posted).status).toBe(201);
	});

	test("that nobody answers in time is refused with a time to come again, and leaves nobody there", async () => {
		const { key, created } = await setUp();
		const { id } = await create({ guestAdmission: "manual" });
		const invited = await call("POST", `/api/broadcasts/${id}/invites`, { body: {} });
		const { code } = await invited.json<{ code: string }>();
		const joined = await call("POST", `/api/broadcasts/${id}/join`, { token: code, body: {} });
		const waiting = await joined.json<{ ingest: Created["ingest"]["guest"]; admitted: boolean }>();
		expect(waiting.admitted).toBe(false);
		const [unanswered, unadmitted] = [post(key), post(waiting.ingest.rtmp.streamKey)];
		await until("the guest to be seen waiting", async () => ((await isThere(id, 1)) ? true : undefined));
		const response = await unanswered;
		expect(response.headers.get("Retry-After")).toBe("5");
		expect((await problem(response, 503, "no-compositor")).detail).toContain("answer within 10 s");
		expect((await problem(await unadmitted, 503, "no-compositor")).detail).toContain("still waiting");
		expect([await isThere(created.id), await isThere(id, 1)]).toEqual([false, false]);
	});

	test("is refused when the broadcast is over, with a viewer's token, and with none", async () => {
		const { created, key } = await setUp();
		await problem(await post(created.tokens.viewer), 403, "forbidden");
		await problem(await post("test-admin-token"), 403, "forbidden");
		await problem(
			await call("POST", "/api/whip", { token: undefined, body: OFFER, headers: SDP }),
			401,
			"unauthorized",
		);
		expect((await call("POST", `/api/broadcasts/${created.id}/end`)).status).toBe(200);
		const response = await post(key);
		await problem(response, 410, "broadcast-ended");
	});

	test("may name its type in any case and with parameters, and a page may read all of the answer", async () => {
		Object.assign(boundEnv, { ICE_SERVERS: '[{"urls":"turn:t.example","username":"u","credential":"a\\"b"}]' });
		const { created, runner, key } = await setUp();
		const headers = { "Content-Type": "Application/SDP; charset=utf-8", Origin: "https://a.example" };
		const posted = call("POST", "/api/whip", { token: key, body: OFFER, headers });
		await answers(await compositorOf(runner, created.id));
		const response = await posted;
		Object.assign(boundEnv, { ICE_SERVERS: "" });
		expect(response.status).toBe(201);
		expect(response.headers.get("Link")).toBe(
			'<turn:t.example>; rel="ice-server"; username="u"; credential="a\\"b"; credential-type="password"',
		);
		const exposed = response.headers.get("Access-Control-Expose-Headers")?.split(",") ?? [];
		expect(exposed).toEqual(expect.arrayContaining(["Location", "Link", "ETag", "Accept-Patch", "Retry-After"]));
	});

	test("comes with the ICE servers there are, and a bearer token that counts more than the address", async () => {
		const { created, runner, key } = await setUp();
		const posted = call("POST", `/api/whip/${key.slice(0, -4)}0000`, {
			token: created.tokens.host,
			body: OFFER,
			headers: SDP,
		});
		await answers(await compositorOf(runner, created.id));
		const response = await posted;
		expect(response.status).toBe(201);
		expect(JSON.stringify([...response.headers])).not.toContain(key.slice(-24, -4));
	});

	test("is told its ways, and others are told what it takes", async () => {
		const preflight = await call("OPTIONS", "/api/whip", {
			token: undefined,
			headers: { Origin: "https://a.example", "Access-Control-Request-Method": "POST" },
		});
		expect(preflight.ok).toBe(true);
		expect(preflight.headers.get("Access-Control-Allow-Origin")).toBe("*");
		expect(preflight.headers.get("Access-Control-Allow-Headers")).toContain("Authorization");
		expect(preflight.headers.get("Accept-Post")).toBe("application/sdp");
		expect((await call("HEAD", "/api/whip", { token: undefined })).status).toBe(405);
		for (const method of ["GET", "PUT", "DELETE"]) {
			for (const path of ["/api/whip", "/api/whip/a-key"]) {
				const got = await call(method, path, { token: undefined });
				expect(got.headers.get("Allow")).toBe("POST, OPTIONS");
				await problem(got, 405, "method-not-allowed");
			}
		}
	});
});

describe("a session", () => {
	test("takes candidates with its entity tag, and only with that", async () => {
		const { location, etag, compositor } = await session();
		const patch = (headers: Record<string, string>, body: string = TRICKLED) =>
			call("PATCH", location, { token: undefined, body, headers: { ...FRAGMENT, ...headers } });
		await problem(await patch({}), 428, "precondition-required");
		await problem(await patch({ "If-Match": '"another"' }), 412, "precondition-failed");
		await problem(await patch({ "If-Match": etag, "Content-Type": "text/plain" }), 415, "unsupported-media-type");
		await problem(await patch({ "If-Match": etag }, "nothing"), 400, "invalid-request");
		expect((await patch({ "If-Match": etag })).status).toBe(204);
		expect(await compositor.control.take("signal")).toMatchObject({
			signal: { kind: "candidate", candidate: "candidate:2 1 udp 1 192.0.2.1 9 typ host", sdpMid: "0" },
		});
	});

	test("restarts ICE, and has another entity tag then; asked again it says the same", async () => {
		const { location, etag, compositor } = await session();
		const body = TRICKLED.replace("abcd", "efgh");
		const restart = () =>
			call("PATCH", location, { token: undefined, body, headers: { ...FRAGMENT, "If-Match": "*" } });
		const patched = restart();
		const offered = await answers(compositor, ANSWER.replaceAll("wxyz", "stuv"));
		const { sdp } = offered.signal as { sdp: string };
		expect(sdp).toContain("a=ice-ufrag:efgh");
		expect(sdp).not.toContain("abcd");
		expect(sdp).toContain("192.0.2.1");
		const response = await patched;
		expect(response.status).toBe(200);
		expect(response.headers.get("Content-Type")).toBe("application/trickle-ice-sdpfrag");
		const newer = response.headers.get("ETag") ?? "";
		expect(newer).not.toBe(etag);
		const fragment = await textOf(response);
		expect(fragment).toContain("a=ice-ufrag:stuv");
		expect(fragment).toContain(`a=${CANDIDATE}`);
		const headers = { ...FRAGMENT, "If-Match": etag };
		await problem(await call("PATCH", location, { token: undefined, body, headers }), 412, "precondition-failed");
		const again = restart();
		await answers(compositor, ANSWER.replaceAll("wxyz", "stuv"));
		expect(await textOf(await again)).toBe(fragment);
	});

	test("restarts ICE once at a time", async () => {
		const { location, compositor } = await session();
		const restart = (ufrag: string) => {
			const body = TRICKLED.replace("abcd", ufrag);
			return call("PATCH", location, { token: undefined, body, headers: { ...FRAGMENT, "If-Match": "*" } });
		};
		const first = restart("efgh");
		await until("the compositor to be asked", () => compositor.control.messages.some(isOffer) || undefined);
		await problem(await restart("ijkl"), 409, "wrong-state");
		await answers(compositor);
		expect((await first).status).toBe(200);
	});

	test("says what may be done to it, and that nothing else may", async () => {
		const { location } = await session();
		const options = await call("OPTIONS", location, { token: undefined, headers: { Origin: "https://a.example" } });
		expect(options.headers.get("Accept-Patch")).toBe("application/trickle-ice-sdpfrag");
		expect((await call("HEAD", location, { token: undefined })).status).toBe(405);
		for (const method of ["GET", "POST", "PUT"]) {
			const got = await call(method, location, { token: undefined });
			expect(got.headers.get("Allow")).toBe("PATCH, DELETE, OPTIONS");
			await problem(got, 405, "method-not-allowed");
		}
	});

	test("is over when it is deleted: the person has gone, and the compositor is told", async () => {
		const { created, location, compositor } = await session();
		expect((await call("DELETE", location, { token: undefined })).status).toBe(200);
		await compositor.control.take("signal", ({ signal }) => kindOf(signal) === "bye");
		await problem(await call("DELETE", location, { token: undefined }), 404, "not-found");
		expect(await (await call("GET", `/api/broadcasts/${created.id}`)).json()).toMatchObject({
			people: [{ id: "host", live: false }, {}],
		});
	});

	test("is not given away to the others in the call, who see a connection only", async () => {
		const { created, location } = await session();
		const [, { peers }] = await CallPeer.join(created.id, created.tokens.guest);
		const { connection = "" } = peers.find(({ id }) => id === "host") ?? {};
		expect(connection).toMatch(/^[0-9a-z]{16}$/);
		expect(location).not.toContain(connection);
		const theirs = location.replace(/[^/]+$/, connection);
		await problem(await call("DELETE", theirs, { token: undefined }), 404, "not-found");
		expect(await isThere(created.id)).toBe(true);
	});

	test("is not begun with credentials that were made worthless while the offer was on its way", async () => {
		const { created, key } = await setUp();
		const { checkStreamKey } = Broadcast.prototype;
		const checked = vi.spyOn(Broadcast.prototype, "checkStreamKey");
		checked.mockImplementation(async function (this: Broadcast, person, hash) {
			const good = await checkStreamKey.call(this, person, hash);
			await this.command({ type: "renew-credentials", personId: person, streamKeyHash: "0" }, { actor: "admin" });
			return good;
		});
		const posted = post(key);
		await problem(await posted, 401, "unauthorized");
		expect(await isThere(created.id)).toBe(false);
	});

	test("gives way to a newer one of the same person", async () => {
		const { location, compositor, key } = await session();
		const posted = post(key);
		await answers(compositor);
		const newer = await posted;
		expect(newer.status).toBe(201);
		await problem(await call("DELETE", location, { token: undefined }), 404, "not-found");
		expect((await call("DELETE", newer.headers.get("Location") ?? "", { token: undefined })).status).toBe(200);
	});

	test("ends with its person's credentials, and with the broadcast", async () => {
		const { created, location } = await session();
		expect((await call("POST", `/api/broadcasts/${created.id}/people/host/credentials`)).status).toBe(200);
		await until("the session to be over", async () => {
			const { status } = await call("DELETE", location, { token: undefined });
			return status === 404 ? true : undefined;
		});
	});

	test("ends with its compositor, of which it knows the certificate, and its encoder may come again", async () => {
		const { created, runner, leaseId, key, location } = await session();
		runner.released(leaseId, "crashed");
		await until("the session to be over", async () => ((await isThere(created.id)) === false ? true : undefined));
		await problem(await call("DELETE", location, { token: undefined }), 404, "not-found");
		const posted = post(key);
		await answers(await compositorOf(runner, created.id));
		expect((await posted).status).toBe(201);
	});

	test("ends when the compositor says that it is over", async () => {
		const { created, compositor, location } = await session();
		const { peers } = await compositor.call(["host"]);
		compositor.says(peers[0], { kind: "bye", reason: "the line is dead" });
		await until("the session to be over", async () => ((await isThere(created.id)) === false ? true : undefined));
		await problem(await call("DELETE", location, { token: undefined }), 404, "not-found");
	});

	test("outlives the object's memory", async () => {
		const { created, location, etag } = await session();
		await replaceObject(stubOf(created.id));
		const patched = await call("PATCH", location, {
			token: undefined,
			body: TRICKLED,
			headers: { ...FRAGMENT, "If-Match": etag },
		});
		expect(patched.status).toBe(204);
		expect((await call("DELETE", location, { token: undefined })).status).toBe(200);
	});

	test("that was never answered is nobody's when the object is lost meanwhile", async () => {
		const { created, key } = await setUp();
		const posted = post(key);
		await until("the encoder to be in the call", async () => ((await isThere(created.id)) ? true : undefined));
		await replaceObject(stubOf(created.id));
		const response = await posted;
		expect(response.headers.get("Retry-After")).toBe("1");
		expect((await problem(response, 503, "unavailable")).detail).not.toContain("replaced");
		expect(await isThere(created.id)).toBe(false);
	});
});
