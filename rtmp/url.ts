import { MAX_STREAM_KEY_CHARS } from "./limits.ts";

const DEFAULT_RTMP_PORT = 1935;
const DEFAULT_RTMPS_PORT = 443;

/** Where to publish, and under which name. Everything but the scheme and the host goes out byte for byte as it was written. */
export interface RtmpUrl {
	/** rtmps: TLS first. */
	readonly secure: boolean;
	/** Without the brackets of an IPv6 address. */
	readonly host: string;
	readonly port: number;
	/** Path of the server's application, which may have more than one part and a query of its own. */
	readonly app: string;
	/** The URL up to the application, as `connect` wants it. Holds no key and no password. */
	readonly tcUrl: string;
	/** The stream's name, query string and all. A secret. */
	readonly streamKey: string;
	/** For servers with Adobe's authentication (`rtmp://user:password@…`). Secrets. */
	readonly credentials?: { readonly user: string; readonly password: string };
}

// scheme "://" [userinfo "@"] host [":" port] ["/" path and query]
const SHAPE = /^(rtmps?):\/\/(?:([^/@]*)@)?(\[[0-9a-f:.]+\]|[^/:@?#[\]]+)(?::(\d{1,5}))?(?:\/(.*))?$/is;

/** Space and control characters: never part of a key, always a slip in pasting one. */
const UNPRINTABLE = /[^\u0021-\u007e\u00a1-\uffff]/;

/**
 * Parses a destination: a server's URL with the key apart, as services show them, or one URL that ends in the key.
 *
 * With no `streamKey`, the key is the last part of the path with the query; where the path has one part only and the query a slash
 * (YouTube's backup server, `…/live2?backup=1/KEY`), it is what follows the last slash of the query.
 *
 * @throws {Error} whose message never holds the key
 */
export function parseRtmpUrl(url: string, streamKey?: string): RtmpUrl {
	const match = SHAPE.exec(url.trim());
	if (match === null) {
		throw new Error("rtmp url: expected rtmp://host[:port]/app or rtmps://host[:port]/app, got something else");
	}
	const [, scheme = "", userInfo, authority = "", portText, path = ""] = match;
	const secure = scheme.toLowerCase() === "rtmps";
	const port = portText === undefined ? (secure ? DEFAULT_RTMPS_PORT : DEFAULT_RTMP_PORT) : Number(portText);
	if (port < 1 || port > 65_535) {
		throw new Error(`rtmp url: expected a port from 1 to 65535, got ${port}`);
	}
	const split = streamKey === undefined ? splitPath(path) : { app: path.replace(/\/+$/, ""), key: streamKey.trim() };
	if (split.app === "" || UNPRINTABLE.test(split.app)) {
		throw new Error("rtmp url: expected an application (rtmp://host/app), got none or one with spaces");
	}
	checkKey(split.key);
	const credentials = userInfo === undefined ? undefined : parseUserInfo(userInfo);
	return {
		secure,
		host: authority.replace(/^\[|\]$/g, ""),
		port,
		app: split.app,
		tcUrl: `${secure ? "rtmps" : "rtmp"}://${authority}${portText === undefined ? "" : `:${portText}`}/${split.app}`,
		streamKey: split.key,
		...(credentials === undefined ? {} : { credentials }),
	};
}

/** The URL with all that may be secret in it replaced by `***`: user and password, the path after the application, every query. */
export function redactRtmpUrl(url: string): string {
	const match = SHAPE.exec(url.trim());
	if (match === null) {
		return "(not an rtmp url)";
	}
	const [, scheme = "", userInfo, authority = "", port, path = ""] = match;
	const [wholePath = ""] = path.split("?", 1);
	const parts = wholePath.split("/").filter((part) => part !== "");
	const shownApp = parts.slice(0, Math.max(1, parts.length - 1)).join("/");
	return [
		`${scheme.toLowerCase()}://`,
		userInfo === undefined ? "" : "***@",
		authority,
		port === undefined ? "" : `:${port}`,
		`/${shownApp}`,
		parts.length > 1 ? "/***" : "",
		path.includes("?") ? "?***" : "",
	].join("");
}

/**
 * Where a server sends us on (`ex.redirect`). Servers give either the new `tcUrl` or, older ones, the whole URL with the stream in it.
 *
 * @throws {Error} when `redirect` is not an RTMP URL
 */
export function followRedirect(from: RtmpUrl, redirect: string): RtmpUrl {
	const [keyPath = ""] = from.streamKey.split("?", 1);
	const trimmed = redirect.trim().replace(/\/+$/, "");
	const suffix = [`/${from.streamKey}`, `/${keyPath}`].find((candidate) => trimmed.endsWith(candidate));
	const target = parseRtmpUrl(suffix === undefined ? trimmed : trimmed.slice(0, -suffix.length), from.streamKey);
	return from.credentials === undefined ? target : { ...target, credentials: from.credentials };
}

/** The same place with `query` in the application, replacing any it had: how Adobe's authentication talks. */
export function withAppQuery(url: RtmpUrl, query: string): RtmpUrl {
	const replace = (text: string) => `${text.split("?", 1)[0] ?? ""}?${query}`;
	return { ...url, app: replace(url.app), tcUrl: replace(url.tcUrl) };
}

function splitPath(path: string): { app: string; key: string } {
	const queryAt = path.indexOf("?");
	const pathOnly = queryAt < 0 ? path : path.slice(0, queryAt);
	const slashAt = pathOnly.lastIndexOf("/");
	const cutAt = slashAt >= 0 ? slashAt : path.lastIndexOf("/");
	return cutAt < 0 ? { app: path, key: "" } : { app: path.slice(0, cutAt), key: path.slice(cutAt + 1) };
}

function checkKey(key: string): void {
	if (key === "") {
		throw new Error("rtmp url: expected a stream key (after the application, or apart), got none");
	}
	if (key.length > MAX_STREAM_KEY_CHARS) {
		throw new Error(`rtmp url: expected a stream key of at most ${MAX_STREAM_KEY_CHARS} characters, got ${key.length}`);
	}
	if (UNPRINTABLE.test(key)) {
		throw new Error("rtmp url: expected a stream key without spaces or control characters, got one with");
	}
}

function parseUserInfo(userInfo: string): { user: string; password: string } {
	const colonAt = userInfo.indexOf(":");
	const user = colonAt < 0 ? userInfo : userInfo.slice(0, colonAt);
	const password = colonAt < 0 ? "" : userInfo.slice(colonAt + 1);
	try {
		return { user: decodeURIComponent(user), password: decodeURIComponent(password) };
	} catch {
		throw new Error("rtmp url: expected a percent-encoded user and password, got a broken escape");
	}
}
