import { MAIN_PROGRAM_STREAM } from "../../worker/protocol/roles.ts";
import { type AnswerOf, ApiRefusalError, answerOf, apiClient, type TandemApi } from "../lib/api-client.ts";
import type { AfterWord } from "./why-over.ts";

type Calls = TandemApi["broadcasts"][":id"];
export type PublicShow = AnswerOf<Awaited<ReturnType<Calls["public"]["$get"]>>>;
export type Show = AnswerOf<Awaited<ReturnType<Calls["$get"]>>>;
export type Services = AnswerOf<Awaited<ReturnType<TandemApi["services"]["$get"]>>>["services"];
export type CreatedInvite = AnswerOf<Awaited<ReturnType<Calls["invites"]["$post"]>>>;
export type NewDestination = Parameters<Calls["destinations"]["$post"]>[0]["json"];

/** The calls of the HTTP API that the pages make, for one broadcast. All throw what `errorWords` makes words of. */
export class ShowApi {
	readonly broadcastId: string;
	readonly #token: string | undefined;
	readonly #api: TandemApi;
	readonly #broadcast: Calls;
	readonly #param: { readonly id: string };

	/** @param token what is public needs none */
	constructor(broadcastId: string, token?: string) {
		this.broadcastId = broadcastId;
		this.#token = token;
		this.#api = apiClient(location.origin, token === undefined ? {} : { token });
		this.#broadcast = this.#api.broadcasts[":id"];
		this.#param = { id: broadcastId };
	}

	publicShow(): Promise<PublicShow> {
		return answerOf(this.#broadcast.public.$get({ param: this.#param }));
	}

	show(): Promise<Show> {
		return answerOf(this.#broadcast.$get({ param: this.#param }));
	}

	/** How it stands for somebody who has just been told that it is over. */
	async after(): Promise<AfterWord> {
		try {
			return { kind: "status", status: (await this.show()).status };
		} catch (error) {
			return error instanceof ApiRefusalError ? { kind: "refused", status: error.status } : { kind: "no-answer" };
		}
	}

	/** @returns the token of the guest's place */
	async redeemInvite(name: string | undefined): Promise<string> {
		const json = name === undefined ? {} : { name };
		return (await answerOf(this.#broadcast.join.$post({ param: this.#param, json }))).token;
	}

	async start(): Promise<void> {
		await answerOf(this.#broadcast.start.$post({ param: this.#param }));
	}

	async end(): Promise<void> {
		await answerOf(this.#broadcast.end.$post({ param: this.#param }));
	}

	/** @param name on the label of whoever comes by it */
	createInvite(name: string | undefined): Promise<CreatedInvite> {
		const json = name === undefined ? {} : { name };
		return answerOf(this.#broadcast.invites.$post({ param: this.#param, json }));
	}

	async services(): Promise<Services> {
		return (await answerOf(this.#api.services.$get())).services;
	}

	async addDestination(json: NewDestination): Promise<void> {
		await answerOf(this.#broadcast.destinations.$post({ param: this.#param, json }));
	}

	async removeDestination(destinationId: string): Promise<void> {
		await answerOf(
			this.#broadcast.destinations[":destinationId"].$delete({ param: { ...this.#param, destinationId } }),
		);
	}

	/** Where a player plays the program from. It cannot send headers, so the token is in the query here. */
	programUrl(): string {
		const path = `/api/broadcasts/${encodeURIComponent(this.broadcastId)}/media/${MAIN_PROGRAM_STREAM}`;
		const url = new URL(path, location.href);
		url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
		url.searchParams.set("direction", "subscribe");
		url.searchParams.set("token", this.#token ?? "");
		return url.href;
	}

	/** The page with the program and its figures; the token is in the fragment, which is not sent. */
	monitorUrl(): string {
		const fragment = new URLSearchParams({ broadcast: this.broadcastId, token: this.#token ?? "" });
		return new URL(`/monitor/#${fragment}`, location.href).href;
	}
}
