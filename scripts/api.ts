import { z } from "zod";
import type { LayoutName } from "../media/layout.ts";
import { compositorStatsSchema } from "../worker/protocol/compositor-stats.ts";

const createdSchema = z.object({
	id: z.string(),
	links: z.object({ studio: z.string(), join: z.string() }),
	tokens: z.object({ host: z.string(), guest: z.string() }),
	ingest: z.object({
		host: z.object({ rtmp: z.object({ url: z.string(), streamKey: z.string() }) }),
		guest: z.object({ rtmp: z.object({ url: z.string(), streamKey: z.string() }) }),
	}),
	destinations: z.array(z.object({ id: z.string() })),
});
export type CreatedBroadcast = z.infer<typeof createdSchema>;

const egressSchema = z.object({
	state: z.string(),
	bytes: z.number(),
	reconnects: z.number(),
	droppedTags: z.number(),
	queueMs: z.number(),
	lastError: z.string().optional(),
});

const programSchema = z.object({
	source: z.enum(["none", "composite", "host", "hold"]),
	sinceMs: z.number(),
	switches: z.number(),
	heldMs: z.number(),
});

const statsSchema = z.object({
	/** Absent when the Router did not answer in time. */
	program: programSchema.optional(),
	unanswered: z.array(z.string()).optional(),
	compositor: z.object({
		lease: z.string(),
		fence: z.number().optional(),
		lastFailure: z.string().optional(),
		reported: z.object({ stats: compositorStatsSchema }).optional(),
	}),
	destinations: z.array(z.object({ id: z.string(), state: z.string(), egress: egressSchema.optional() })),
});
export type BroadcastStats = z.infer<typeof statsSchema>;

export interface NewDestination {
	readonly name?: string;
	readonly url: string;
	readonly streamKey?: string;
	readonly allowBFrames?: boolean;
}

export interface NewBroadcast {
	readonly title: string;
	readonly layout?: LayoutName;
	readonly hostName?: string;
	readonly guestName?: string;
	readonly width?: number;
	readonly height?: number;
	readonly frameRate?: number;
	readonly videoBitrate?: number;
	readonly alwaysCompose?: boolean;
	readonly holdSeconds?: number;
	readonly guestGraceSeconds?: number;
	readonly maxGuests?: number;
	readonly destinations?: readonly NewDestination[];
}

/** The HTTP API as the demo, the soak and the end-to-end tests call it. Throws with the problem's own words on a refusal. */
export class ApiClient {
	readonly #apiUrl: string;
	readonly #token: string;

	constructor(apiUrl: string, token: string) {
		this.#apiUrl = apiUrl;
		this.#token = token;
	}

	async create(broadcast: NewBroadcast): Promise<CreatedBroadcast> {
		return createdSchema.parse(await this.call("POST", "/api/broadcasts", broadcast));
	}

	async start(id: string): Promise<void> {
		await this.call("POST", `/api/broadcasts/${id}/start`);
	}

	async end(id: string): Promise<void> {
		await this.call("POST", `/api/broadcasts/${id}/end`);
	}

	async setLayout(id: string, layout: LayoutName): Promise<void> {
		await this.call("PUT", `/api/broadcasts/${id}/layout`, { layout });
	}

	async stats(id: string): Promise<BroadcastStats> {
		return statsSchema.parse(await this.call("GET", `/api/broadcasts/${id}/stats`));
	}

	async call(method: string, path: string, body?: unknown): Promise<unknown> {
		const response = await fetch(new URL(path, this.#apiUrl), {
			method,
			headers: {
				authorization: `Bearer ${this.#token}`,
				...(body === undefined ? {} : { "content-type": "application/json" }),
			},
			...(body === undefined ? {} : { body: JSON.stringify(body) }),
		});
		const text = await response.text();
		if (!response.ok) {
			throw new Error(`${method} ${path}: expected success, got ${response.status} ${text}`);
		}
		return text === "" ? undefined : JSON.parse(text);
	}
}
