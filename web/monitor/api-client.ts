import { z } from "zod";
import type { LayoutName } from "../../media/layout.ts";
import { compositorStatsSchema } from "../../worker/protocol/compositor-stats.ts";
import { programSourceSchema } from "../../worker/protocol/control-messages.ts";
import { layoutNameSchema } from "../../worker/protocol/live-commands.ts";
import { MAIN_PROGRAM_STREAM } from "../../worker/protocol/roles.ts";

const broadcastSchema = z.object({ title: z.string(), status: z.string(), layout: layoutNameSchema });

const statsSchema = z.object({
	/** Absent when the Router did not answer in time. */
	program: z.object({ source: programSourceSchema, sinceMs: z.number() }).optional(),
	compositor: z.object({ reported: z.object({ ageMs: z.number(), stats: compositorStatsSchema }).optional() }),
	destinations: z.array(
		z.object({
			name: z.string().optional(),
			state: z.string(),
			egress: z.object({ bytes: z.number(), reconnects: z.number() }).optional(),
		}),
	),
});
export type MonitorStats = z.infer<typeof statsSchema>;

const problemSchema = z.object({ title: z.string(), detail: z.string().optional() });

/** The few calls of the HTTP API that the monitor makes, for one broadcast. */
export class ApiClient {
	readonly #base: string;
	readonly #token: string;

	constructor(broadcastId: string, token: string) {
		this.#base = `/api/broadcasts/${encodeURIComponent(broadcastId)}`;
		this.#token = token;
	}

	/** Where mpegts.js plays the program from. A player cannot send headers, so the token is in the query here. */
	programUrl(): string {
		const url = new URL(`${this.#base}/media/${MAIN_PROGRAM_STREAM}`, location.href);
		url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
		url.searchParams.set("direction", "subscribe");
		url.searchParams.set("token", this.#token);
		return url.href;
	}

	async broadcast(): Promise<z.infer<typeof broadcastSchema>> {
		return broadcastSchema.parse(await this.#call("GET", ""));
	}

	async stats(): Promise<MonitorStats> {
		return statsSchema.parse(await this.#call("GET", "/stats"));
	}

	async setLayout(layout: LayoutName): Promise<void> {
		await this.#call("PUT", "/layout", { layout });
	}

	async #call(method: string, path: string, body?: unknown): Promise<unknown> {
		const response = await fetch(this.#base + path, {
			method,
			headers: { authorization: `Bearer ${this.#token}`, "content-type": "application/json" },
			...(body === undefined ? {} : { body: JSON.stringify(body) }),
		});
		if (!response.ok) {
			const problem = problemSchema.safeParse(await response.json().catch(() => undefined));
			throw new Error(problem.success ? (problem.data.detail ?? problem.data.title) : `HTTP ${response.status}`);
		}
		return response.status === 204 ? undefined : await response.json();
	}
}
