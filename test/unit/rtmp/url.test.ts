import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { followRedirect, parseRtmpUrl, type RtmpUrl, redactRtmpUrl, withAppQuery } from "../../../rtmp/url.ts";

const ROWS: readonly { name: string; url: string; key?: string; value: RtmpUrl; redacted: string }[] = [
	{
		name: "one URL",
		url: "rtmp://example.com/live/KEY",
		value: {
			secure: false,
			host: "example.com",
			port: 1935,
			app: "live",
			tcUrl: "rtmp://example.com/live",
			streamKey: "KEY",
		},
		redacted: "rtmp://example.com/live/***",
	},
	{
		name: "a port, and a key with a query",
		url: "rtmp://127.0.0.1:19350/live/KEY?token=a/b&x=%20%2f",
		value: {
			secure: false,
			host: "127.0.0.1",
			port: 19350,
			app: "live",
			tcUrl: "rtmp://127.0.0.1:19350/live",
			streamKey: "KEY?token=a/b&x=%20%2f",
		},
		redacted: "rtmp://127.0.0.1:19350/live/***?***",
	},
	{
		name: "an application of two parts",
		url: "rtmp://example.com/app/instance/KEY",
		value: {
			secure: false,
			host: "example.com",
			port: 1935,
			app: "app/instance",
			tcUrl: "rtmp://example.com/app/instance",
			streamKey: "KEY",
		},
		redacted: "rtmp://example.com/app/instance/***",
	},
	{
		name: "Facebook: key apart, slash at the end",
		url: "rtmps://live-api-s.facebook.com:443/rtmp/",
		key: "FB-1-0-Abc?s_bl=1&s_sw=0",
		value: {
			secure: true,
			host: "live-api-s.facebook.com",
			port: 443,
			app: "rtmp",
			tcUrl: "rtmps://live-api-s.facebook.com:443/rtmp",
			streamKey: "FB-1-0-Abc?s_bl=1&s_sw=0",
		},
		redacted: "rtmps://live-api-s.facebook.com:443/rtmp",
	},
	{
		name: "rtmps without a port",
		url: "rtmps://a.rtmps.youtube.com/live2",
		key: "abcd-efgh",
		value: {
			secure: true,
			host: "a.rtmps.youtube.com",
			port: 443,
			app: "live2",
			tcUrl: "rtmps://a.rtmps.youtube.com/live2",
			streamKey: "abcd-efgh",
		},
		redacted: "rtmps://a.rtmps.youtube.com/live2",
	},
	{
		name: "YouTube's backup, key apart",
		url: "rtmp://b.rtmp.youtube.com/live2?backup=1",
		key: "KEY",
		value: {
			secure: false,
			host: "b.rtmp.youtube.com",
			port: 1935,
			app: "live2?backup=1",
			tcUrl: "rtmp://b.rtmp.youtube.com/live2?backup=1",
			streamKey: "KEY",
		},
		redacted: "rtmp://b.rtmp.youtube.com/live2?***",
	},
	{
		name: "YouTube's backup, in one",
		url: "rtmp://b.rtmp.youtube.com/live2?backup=1/KEY",
		value: {
			secure: false,
			host: "b.rtmp.youtube.com",
			port: 1935,
			app: "live2?backup=1",
			tcUrl: "rtmp://b.rtmp.youtube.com/live2?backup=1",
			streamKey: "KEY",
		},
		redacted: "rtmp://b.rtmp.youtube.com/live2?***",
	},
	{
		name: "IPv6, capitals and spaces around",
		url: "  RTMP://[::1]:1936/Live/Key \n",
		value: { secure: false, host: "::1", port: 1936, app: "Live", tcUrl: "rtmp://[::1]:1936/Live", streamKey: "Key" },
		redacted: "rtmp://[::1]:1936/Live/***",
	},
	{
		name: "a user and password",
		url: "rtmp://us%40er:p:w@example.com/live/KEY",
		value: {
			secure: false,
			host: "example.com",
			port: 1935,
			app: "live",
			tcUrl: "rtmp://example.com/live",
			streamKey: "KEY",
			credentials: { user: "us@er", password: "p:w" },
		},
		redacted: "rtmp://***@example.com/live/***",
	},
];

describe.each(ROWS)("rtmp url: $name", ({ url, key, value, redacted }) => {
	it("is parsed", () => {
		expect(parseRtmpUrl(url, key)).toEqual(value);
	});

	it("is redacted", () => {
		expect(redactRtmpUrl(url)).toBe(redacted);
	});
});

describe("rtmp url", () => {
	it.each([
		["nothing", "", undefined],
		["another scheme", "https://example.com/live/SECRET", undefined],
		["no host", "rtmp:///live/SECRET", undefined],
		["a port of 0", "rtmp://example.com:0/live/SECRET", undefined],
		["a port above 65535", "rtmp://example.com:65536/live/SECRET", undefined],
		["no application", "rtmp://example.com", "SECRET"],
		["no application, slash", "rtmp://example.com/", "SECRET"],
		["no key", "rtmp://example.com/live", undefined],
		["an empty key", "rtmp://example.com/live/", undefined],
		["an empty key apart", "rtmp://example.com/live", "  "],
		["a space in the key", "rtmp://example.com/live", "SECRET SECRET"],
		["a line break in the key", "rtmp://example.com/live", "SECRET\r\nSECRET"],
		["a zero byte in the key", "rtmp://example.com/live/SEC\0RET", undefined],
		["a key far too long", "rtmp://example.com/live", "SECRET".repeat(1000)],
		["a space in the application", "rtmp://example.com/li ve", "SECRET"],
		["a broken escape in the user", "rtmp://SECRET%:x@example.com/live/key", undefined],
	])("refuses %s and does not quote it", (_, url, key) => {
		let message = "";
		try {
			parseRtmpUrl(url, key);
		} catch (error) {
			message = error instanceof Error ? error.message : "";
		}
		expect(message).toMatch(/^rtmp url: expected .*, got/);
		expect(message).not.toContain("SECRET");
	});

	it("redacts what is no RTMP URL altogether", () => {
		expect(redactRtmpUrl("http://SECRET")).toBe("(not an rtmp url)");
	});

	it("keeps keys byte for byte", () => {
		const keyChar = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code));
		fc.assert(
			fc.property(fc.string({ unit: keyChar, minLength: 1, maxLength: 60 }), (key) => {
				expect(parseRtmpUrl("rtmp://example.com/live", key).streamKey).toBe(key);
			}),
		);
	});

	it("never shows a key or password when redacted", () => {
		const part = fc.string({ unit: fc.constantFrom(..."KQZ0?=&%"), minLength: 4, maxLength: 20 });
		fc.assert(
			fc.property(part, part, (secret, password) => {
				const shown = redactRtmpUrl(`rtmp://u:${password.replaceAll(/[?]/g, "")}@example.com/live/${secret}`);
				expect(shown.replaceAll("*", "")).toMatch(/^rtmp:\/\/@example\.com\/live\/?\??$/);
			}),
		);
	});

	it.each([
		["a tcUrl", "rtmp://other.example.com:1936/live", "rtmp://other.example.com:1936/live"],
		["a whole URL", "rtmp://other.example.com/live/KEY?a=1", "rtmp://other.example.com/live"],
		["a whole URL without the key's query", "rtmp://other.example.com/live/KEY", "rtmp://other.example.com/live"],
	])("follows a redirect to %s, key in hand", (_, redirect, tcUrl) => {
		const next = followRedirect(parseRtmpUrl("rtmp://u:p@example.com/live/KEY?a=1"), redirect);
		expect(next.tcUrl).toBe(tcUrl);
		expect(next.app).toBe("live");
		expect(next.streamKey).toBe("KEY?a=1");
		expect(next.credentials).toEqual({ user: "u", password: "p" });
	});

	it("puts a query in the application, in place of the one before", () => {
		const once = withAppQuery(parseRtmpUrl("rtmp://example.com/live/KEY"), "a=1");
		expect(once).toMatchObject({ app: "live?a=1", tcUrl: "rtmp://example.com/live?a=1", streamKey: "KEY" });
		expect(withAppQuery(once, "b=2").app).toBe("live?b=2");
	});
});
