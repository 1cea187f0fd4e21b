import { exports, env as testEnv } from "cloudflare:workers";
import type { z } from "@hono/zod-openapi";
import { expect } from "vitest";
import type { createdBroadcastSchema } from "../../worker/api/schemas.ts";
import { signRoleToken } from "../../worker/auth/role-token.ts";
import type { Env } from "../../worker/env.ts";
import type { BroadcastRole } from "../../worker/protocol/roles.ts";

export const env = testEnv as unknown as Env;

const ORIGIN = "http://tandem.example";
const ADMIN_TOKEN = "test-admin-token";
const HOUR_S = 3_600;
const POLL_MS = 20;
/** Long enough for a loaded machine; only bounds a hang. Counted, since tests stop the clock. */
const MAX_POLLS = 500;

export type Created = z.infer<typeof createdBroadcastSchema>;

interface CallOptions {
	readonly token?: string | undefined;
	readonly body?: unknown;
	readonly headers?: Record<string, string>;
}

export function worker(): Fetcher {
	return (exports as unknown as { default: Fetcher }).default;
}

/** One request to the API, by the admin unless said otherwise; `token: undefined` sends none. */
export function call(method: string, path: string, options: CallOptions = {}): Promise<Response> {
	const token = "token" in options ? options.token : ADMIN_TOKEN;
	const hasBody = options.body !== undefined;
	return worker().fetch(`${ORIGIN}${path}`, {
		method,
		headers: {
			...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
			...(hasBody ? { "Content-Type": "application/json" } : {}),
			...options.headers,
		},
		...(hasBody ? { body: typeof options.body === "string" ? options.body : JSON.stringify(options.body) } : {}),
	});
}

export async function create(body: Record<string, unknown> = {}): Promise<Created> {
	const response = await call("POST", "/api/broadcasts", { body: { title: "A test", ...body } });
	expect(response.status).toBe(201);
	return response.json<Created>();
}

/** The problem document of a response that must be one of that kind. */
export async function problem(response: Response, status: number, kind: string) {
	expect(response.headers.get("Content-Type")).toBe("application/problem+json");
	const document = await response.json<{
		type: string;
		title: string;
		status: number;
		detail: string;
		errors?: unknown;
	}>();
	expect(document).toMatchObject({ status, type: `/api/docs#problem-${kind}` });
	expect(response.status).toBe(status);
	expect(document.detail).toMatch(/expected .+, got .+|expected/);
	return document;
}

export function roleToken(
	broadcastId: string,
	role: BroadcastRole,
	options: { fence?: number; expiresInS?: number; signingKey?: string } = {},
): Promise<string> {
	const exp = Math.floor(Date.now() / 1_000) + (options.expiresInS ?? HOUR_S);
	const claims = { bid: broadcastId, role, exp, ...(options.fence === undefined ? {} : { fence: options.fence }) };
	return signRoleToken(claims, options.signingKey ?? env.SIGNING_KEY ?? "");
}

/** Waits until `probe` gives something, and gives that. */
export async function until<T>(what: string, probe: () => T | undefined | Promise<T | undefined>): Promise<T> {
	for (let poll = 0; poll < MAX_POLLS; poll++) {
		const found = await probe();
		if (found !== undefined) {
			return found;
		}
		await scheduler.wait(POLL_MS);
	}
	throw new Error(`test: expected ${what} within ${MAX_POLLS * POLL_MS} ms, got nothing`);
}

/** The client's end of a JSON socket; binary messages are let pass. */
export class JsonSocket {
	readonly messages: Record<string, unknown>[] = [];
	readonly socket: WebSocket;
	readonly protocol: string | null;
	closed: { readonly code: number; readonly reason: string } | undefined;

	constructor(response: Response) {
		if (response.webSocket === null) {
			throw new Error(`test: expected a WebSocket, got status ${response.status}`);
		}
		this.protocol = response.headers.get("Sec-WebSocket-Protocol");
		this.socket = response.webSocket;
		this.socket.addEventListener("message", ({ data }) => {
			if (typeof data === "string") {
				this.messages.push(JSON.parse(data) as Record<string, unknown>);
			}
		});
		this.socket.addEventListener("close", ({ code, reason }) => {
			this.closed = { code, reason };
		});
		this.socket.accept();
	}

	send(message: unknown): void {
		this.socket.send(typeof message === "string" ? message : JSON.stringify(message));
	}

	/** The first message of that type that `matches`, taken out of those received. */
	take(
		type: string,
		matches: (message: Record<string, unknown>) => boolean = () => true,
	): Promise<Record<string, unknown>> {
		return until(`a message ${type}`, () => {
			const index = this.messages.findIndex((message) => message.type === type && matches(message));
			return index === -1 ? undefined : this.messages.splice(index, 1)[0];
		});
	}

	closing(): Promise<{ readonly code: number; readonly reason: string }> {
		return until("the socket to close", () => this.closed);
	}
}

/** Opens a socket of the API. */
export async function openSocket(
	path: string,
	options: CallOptions & { subprotocols?: string[] } = {},
): Promise<JsonSocket> {
	const { subprotocols, headers, ...rest } = options;
	const response = await call("GET", path, {
		...rest,
		headers: {
			...headers,
			Upgrade: "websocket",
			...(subprotocols === undefined ? {} : { "Sec-WebSocket-Protocol": subprotocols.join(", ") }),
		},
	});
	return new JsonSocket(response);
}
