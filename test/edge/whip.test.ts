import { afterEach, describe, expect, test } from "vitest";
import { call, create, env, problem, until } from "./api-client.ts";
import { CallPeer } from "./call-peer.ts";
import { replaceObject } from "./replace-object.ts";
import { RunnerPeer } from "./runner-peer.ts";

const OFFER = [
	"v=0",
	"o=- 1 1 IN IP4 127.0.0.1",
	"s=-",
	"t=0 0",
	"m=audio 9 UDP/TLS/RTP/SAVPF 111",
	"a=mid:0",
	"a=sendonly",
	"a=ice-ufrag:abcd",
	"a=ice-pwd:0123456789012345678901",
	"m=video 9 UDP/TLS/RTP/SAVPF 96",
	"a=mid:1",
	"a=sendonly",
	"a=ice-ufrag:abcd",
	"a=ice-pwd:0123456789012345678901",
	"",
].join("\r\n");
const CANDIDATE = "a=candidate:1 1 udp 1 127.0.0.1 9 typ host";
const ANSWER = OFFER.replaceAll("sendonly", "recvonly")
	.replaceAll("abcd", "wxyz")
	.replace("a=mid:0", `a=mid:0\r\n${CANDIDATE}`);
const SDP = { "Content-Type": "application/sdp" };
const FRAGMENT = { "Content-Type": "application/trickle-ice-sdpfrag" };
const TRICKLED =
	"a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:2 1 udp 1 192.0.2.1 9 typ host\r\n";

const open: RunnerPeer[] = [];
afterEach(() => {
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

const kindOf = (signal: unknown) => (signal as { kind: string }).kind;

/** A session that was answered. */
async function session() {
	const { created, runner, key } = await setUp();
	const posted = post(key);
	const compositor = await compositorOf(runner, created.id);
	await answers(compositor);
	const response = await posted;
	const location = response.headers.get("Location") ?? "";
	return { created, runner, key, compositor, response, location, etag: response.headers.get("ETag") ?? "" };
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
		expect(new TextDecoder().decode(await response.arrayBuffer())).toBe(ANSWER);
		expect(response.headers.get("Content-Type")).toBe("application/sdp");
		expect(response.headers.get("Location")).toMatch(
			new RegExp(`^/api/whip/sessions/${created.id}/whip-[0-9a-z]{16}$`),
		);
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
		["too much", 413, "too-large", OFFER + "a=x\r\n".repeat(20_000), {}],
	])("of %s is refused", async (_what, status, kind, body, headers) => {
		const { key } = await setUp();
		await problem(await post(key, body, headers), status, kind);
	});

	test("that a compositor cannot take is refused with its words, and leaves nobody there", async () => {
		const { created, runner, key } = await setUp();
		const posted = post(key);
		const compositor = await compositorOf(runner, created.id);
		const { from: to, connection } = await compositor.control.take("signal");
		compositor.control.send({ type: "signal", to, connection, signal: { kind: "bye", reason: "expected VP8" } });
		expect(await problem(await posted, 400, "invalid-request")).toMatchObject({ detail: "expected VP8" });
		expect(await (await call("GET", `/api/broadcasts/${created.id}`)).json()).toMatchObject({
			people: [{ id: "host", live: false }, {}],
		});
	});

	test("is told its ways, and others are told what it takes", async () => {
		const options = await call("OPTIONS", "/api/whip", { token: undefined, headers: { Origin: "https://a.example" } });
		expect(options.status).toBe(204);
		expect(options.headers.get("Access-Control-Allow-Origin")).toBe("*");
		const got = await call("GET", "/api/whip", {});
		expect([got.status, got.headers.get("Allow")]).toEqual([405, "POST, OPTIONS"]);
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

	test("restarts ICE, and has another entity tag then", async () => {
		const { location, etag, compositor } = await session();
		const body = TRICKLED.replace("abcd", "efgh");
		const patched = call("PATCH", location, { token: undefined, body, headers: { ...FRAGMENT, "If-Match": "*" } });
		const offered = await answers(compositor, ANSWER.replaceAll("wxyz", "stuv"));
		const { sdp } = offered.signal as { sdp: string };
		expect(sdp).toContain("a=ice-ufrag:efgh");
		expect(sdp).not.toContain("abcd");
		expect(sdp).toContain("192.0.2.1");
		const response = await patched;
		expect(response.status).toBe(200);
		expect(response.headers.get("ETag")).not.toBe(etag);
		const fragment = new TextDecoder().decode(await response.arrayBuffer());
		expect(fragment).toContain("a=ice-ufrag:stuv");
		expect(fragment).toContain(CANDIDATE);
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

	test("outlives the object's memory", async () => {
		const { created, location, etag } = await session();
		await replaceObject(env.BROADCAST.getByName(created.id) as unknown as DurableObjectStub);
		const patched = await call("PATCH", location, {
			token: undefined,
			body: TRICKLED,
			headers: { ...FRAGMENT, "If-Match": etag },
		});
		expect(patched.status).toBe(204);
		expect((await call("DELETE", location, { token: undefined })).status).toBe(200);
	});
});
