import type { LayoutName } from "../../media/layout.ts";
import { MAIN_PROGRAM_STREAM } from "../../worker/protocol/roles.ts";
import { type AnswerOf, answerOf, apiClient, type TandemApi } from "../lib/api-client.ts";

type BroadcastCalls = TandemApi["broadcasts"][":id"];
export type MonitorStats = AnswerOf<Awaited<ReturnType<BroadcastCalls["stats"]["$get"]>>>;

/** The few calls of the HTTP API that the monitor makes, for one broadcast. */
export class MonitorApi {
	readonly #broadcast: BroadcastCalls;
	readonly #param: { readonly id: string };
	readonly #token: string;

	constructor(broadcastId: string, token: string) {
		this.#broadcast = apiClient(location.origin, { token }).broadcasts[":id"];
		this.#param = { id: broadcastId };
		this.#token = token;
	}

	/** Where mpegts.js plays the program from. A player cannot send headers, so the token is in the query here. */
	programUrl(): string {
		const path = `/api/broadcasts/${encodeURIComponent(this.#param.id)}/media/${MAIN_PROGRAM_STREAM}`;
		const url = new URL(path, location.href);
		url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
		url.searchParams.set("direction", "subscribe");
		url.searchParams.set("token", this.#token);
		return url.href;
	}

	broadcast() {
		return answerOf(this.#broadcast.$get({ param: this.#param }));
	}

	stats() {
		return answerOf(this.#broadcast.stats.$get({ param: this.#param }));
	}

	async setLayout(layout: LayoutName): Promise<void> {
		await answerOf(this.#broadcast.layout.$put({ param: this.#param, json: { layout } }));
	}
}
