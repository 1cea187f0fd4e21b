import type { IncomingMessage, ServerResponse } from "node:http";

/** A request as the show saw it. */
export interface SeenRequest {
	readonly method: string;
	readonly path: string;
	readonly token: string | undefined;
	readonly body: unknown;
}

export const SHOW_ID = "0123456789abcdef";
export const HOST_TOKEN = `e30.${Buffer.from(JSON.stringify({ bid: SHOW_ID, role: "host", pid: "host" })).toString("base64url")}.c2ln`;
export const GUEST_TOKEN = `e30.${Buffer.from(JSON.stringify({ bid: SHOW_ID, role: "guest", pid: "guest" })).toString("base64url")}.c2ln`;
export const INVITE_CODE = `${SHOW_ID}-invite-secretsecretsecret`;

const PERSON = { gain: 1, muted: false, admitted: true, live: false, credentialsVersion: 1 };

/** What the HTTP API answers for one broadcast, in the hands of a test. */
export class FakeShow {
	readonly requests: SeenRequest[] = [];
	status: "scheduled" | "lobby" | "live" | "ended" | "cancelled" = "lobby";
	title = "Two people talk about engines";
	scheduledStartTime: string | undefined;
	startedAt: string | undefined;
	viewers = 12;
	destinations: unknown[] = [];
	/** Tokens and codes that count. */
	readonly good = new Set([HOST_TOKEN, GUEST_TOKEN, INVITE_CODE]);
	/** Answered next to a request of that `METHOD /path`, in place of anything else. */
	readonly refusals = new Map<string, { status: number; title: string; detail: string }>();

	get #public() {
		return {
			id: SHOW_ID,
			title: this.title,
			description: "An hour about the Analytical Engine, with questions from those who watch.",
			hostName: "Ada Lovelace",
			status: this.status,
			...(this.scheduledStartTime && { scheduledStartTime: this.scheduledStartTime }),
			...(this.startedAt && { startedAt: this.startedAt }),
			viewers: this.viewers,
			links: { calendar: "http://127.0.0.1/none" },
		};
	}

	async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const chunks: Buffer[] = [];
		for await (const chunk of request) {
			chunks.push(chunk as Buffer);
		}
		const text = Buffer.concat(chunks).toString();
		const path = new URL(request.url ?? "/", "http://localhost").pathname;
		const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
		const body: unknown = text === "" ? undefined : JSON.parse(text);
		const seen = { method: request.method ?? "", path, token, body };
		this.requests.push(seen);
		const refusal = this.refusals.get(`${seen.method} ${path}`);
		if (refusal !== undefined) {
			this.refusals.delete(`${seen.method} ${path}`);
			send(response, refusal.status, { type: "/api/docs#problem-x", ...refusal });
			return;
		}
		const [status, answer] = this.#answerTo(seen);
		send(response, status, answer);
	}

	#answerTo({ method, path, token, body }: SeenRequest): [status: number, body: unknown] {
		if (path === "/api/services") {
			return [200, { services: SERVICES }];
		}
		const prefix = `/api/broadcasts/${SHOW_ID}`;
		if (!path.startsWith(prefix)) {
			return [404, problem(404, "Not found", "broadcast: expected one that exists, got another id")];
		}
		const route = `${method} ${path.slice(prefix.length)}`;
		if (route === "GET /public") {
			return [200, this.#public];
		}
		if (token === undefined || !this.good.has(token)) {
			return [401, problem(401, "No valid token", "auth: expected a token that counts, got another")];
		}
		switch (route) {
			case "GET ":
				return [200, this.#broadcast()];
			case "POST /start":
				this.status = "live";
				this.startedAt = new Date().toISOString();
				return [200, this.#broadcast()];
			case "POST /end":
				this.status = "ended";
				return [200, this.#broadcast()];
			case "POST /invites":
				return [201, invite(body as { name?: string })];
			case "POST /join":
				this.good.delete(INVITE_CODE);
				return [200, { personId: "guest", name: "Grace", admitted: false, token: GUEST_TOKEN }];
			case "POST /destinations": {
				const asked = body as { service: string; url?: string };
				const added = {
					...DESTINATION,
					...asked,
					id: `added-${this.destinations.length}`,
					url: asked.url ?? "rtmps://a.example",
				};
				this.destinations.push(added);
				return [201, added];
			}
			default: {
				const [, removed] = /^DELETE \/destinations\/(.+)$/.exec(route) ?? [];
				if (removed !== undefined) {
					this.destinations = this.destinations.filter((each) => (each as { id: string }).id !== removed);
					return [204, undefined];
				}
				return [404, problem(404, "Not found", `fake show: expected a route that it knows, got ${route}`)];
			}
		}
	}

	#broadcast() {
		return {
			...this.#public,
			version: 1,
			layout: "landscape",
			labels: true,
			order: [],
			people: [
				{ ...PERSON, id: "host", name: "Ada Lovelace" },
				{ ...PERSON, id: "guest", name: "Grace Hopper", gain: 1.44, admitted: false },
			],
			destinations: this.destinations,
			liveStreams: [],
			programSource: "none",
		};
	}
}

export const DESTINATION = {
	id: "d1",
	service: "youtube",
	via: "edge",
	url: "rtmps://a.rtmps.youtube.com/live2",
	hasStreamKey: true,
	allowBFrames: true,
	state: "idle",
	warnings: [],
};

const SERVICES = [
	{ id: "facebook", name: "Facebook Live", servers: [{ name: "Everywhere", url: "rtmps://f.example/rtmp/" }] },
	{
		id: "youtube",
		name: "YouTube",
		servers: [
			{ name: "Primary", url: "rtmps://a.example/live2" },
			{ name: "Backup, beside the primary", url: "rtmps://b.example/live2?backup=1" },
		],
	},
	{ id: "custom", name: "Custom RTMP(S)", servers: [] },
].map((service) => ({ ...service, domains: [], rtmpsOnly: false, limits: { video: [] } }));

function invite({ name }: { name?: string }) {
	return {
		id: "invite-1",
		...(name === undefined ? {} : { name }),
		maxUses: 1,
		uses: 0,
		expiresAt: "2027-01-31T19:00:00.000Z",
		admission: "manual",
		createdAt: "2027-01-24T19:00:00.000Z",
		code: INVITE_CODE,
		link: `https://tandem.example/join/${SHOW_ID}#invite=${INVITE_CODE}`,
	};
}

function problem(status: number, title: string, detail: string) {
	return { type: "/api/docs#problem-x", status, title, detail };
}

function send(response: ServerResponse, status: number, body: unknown): void {
	response.writeHead(status, { "Content-Type": status >= 400 ? "application/problem+json" : "application/json" });
	response.end(body === undefined ? undefined : JSON.stringify(body));
}
