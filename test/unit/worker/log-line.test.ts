import { describe, expect, it } from "vitest";
import { logLine, redactSecrets } from "../../../worker/protocol/log-line.ts";

const SECRET = "s3cr3tpart0123456789abcd";
const ID = "0123456789abcdef";

const SECRETS = [
	["a role token", `token eyJhbGciOiJIUzI1NiJ9.eyJiaWQiOiJiIn0.${SECRET} refused`, "token <token> refused"],
	["a host's key", `${ID}-host-${SECRET}: gone`, `${ID}-host-<key>: gone`],
	["a guest's key", `${ID}-guest-${SECRET}: gone`, `${ID}-guest-<key>: gone`],
	["a third guest's key", `${ID}-guest-3-${SECRET}: gone`, `${ID}-guest-3-<key>: gone`],
	["a header", `authorization: Bearer ${SECRET}`, "authorization: Bearer <token>"],
	["a subprotocol", `protocol tandem, bearer.${SECRET}`, "protocol tandem, bearer.<token>"],
	["a query", `wss://h/api?ack=1&token=${SECRET}&x=1`, "wss://h/api?ack=1&token=<secret>&x=1"],
	["a fragment", `https://h/join/${ID}#token=${SECRET}`, `https://h/join/${ID}#token=<secret>`],
	[
		"a destination's path",
		`rtmps://live.example:443/rtmp/${SECRET} broke`,
		"rtmps://live.example:443/rtmp/<key> broke",
	],
	["a destination's query", `rtmp://live.example/app?auth=${SECRET}`, "rtmp://live.example/app?<key>"],
	["credentials", `https://user:${SECRET}@hooks.example/x`, "https://<credentials>@hooks.example/x"],
	[
		"a WHIP session",
		`DELETE /api/whip/sessions/${ID}/${SECRET} failed`,
		`DELETE /api/whip/sessions/${ID}/<key> failed`,
	],
	["a description's password", `a=ice-pwd:${SECRET}\\r\\na=mid:0`, "a=ice-pwd:<secret>\\r\\na=mid:0"],
	["a TURN server's password", `{"username":"u","credential":"${SECRET}"}`, '{"username":"u","credential":"<secret>"}'],
	["a link's password", `username="u"; credential="${SECRET}"; x`, 'username="u"; credential="<secret>"; x'],
	["a webhook's secret", `whsec_${SECRET}/+= was used`, "<secret> was used"],
] as const;

function line(fields: Record<string, unknown>, message = "a message"): Record<string, unknown> {
	const text = logLine({ level: "error", part: "test", message, fields }, 0);
	expect(text).not.toContain("\n");
	expect(text).not.toContain(SECRET);
	return JSON.parse(text) as Record<string, unknown>;
}

describe("a log line", () => {
	it("is one line of JSON with what is known", () => {
		const text = logLine(
			{ level: "info", part: "api", message: "two\nlines", fields: { ms: 3, requestId: "r", broadcastId: undefined } },
			1_000,
		);
		expect(text).toBe(
			'{"time":"1970-01-01T00:00:01.000Z","level":"info","part":"api","message":"two\\nlines","requestId":"r","ms":3}',
		);
	});

	it.each(SECRETS)("leaves out %s, wherever it stands", (_what, text, clean) => {
		expect(redactSecrets(text)).toBe(clean);
		expect(line({}, text)).toMatchObject({ message: clean });
		expect(line({ error: new Error(text) })).toMatchObject({ error: clean });
		expect(line({ deep: { list: [text] } })).toMatchObject({ deep: { list: [clean] } });
	});

	it("looks at no field that is named for a secret", () => {
		expect(line({ token: SECRET, request: { Authorization: SECRET, streamKey: SECRET } })).toMatchObject({
			token: "<secret>",
			request: { Authorization: "<secret>", streamKey: "<secret>" },
		});
	});

	it("leaves out a secret that begins where the text is cut", () => {
		const message = `${"x".repeat(1_990)} Bearer ${SECRET}`;
		expect(line({}, message).message).toHaveLength(2_000);
	});

	it("is written whatever it is given", () => {
		const loop: Record<string, unknown> = {};
		loop.self = loop;
		expect(line({ loop, big: 1n, error: "a text" })).toMatchObject({ big: "1", error: "a text" });
	});
});
