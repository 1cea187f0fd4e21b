import { afterEach, beforeEach, vi } from "vitest";
import type { BroadcastEvent } from "../../worker/protocol/broadcast-events.ts";

export interface Received {
	readonly url: string;
	readonly id: string;
	readonly headers: Headers;
	readonly body: string;
	readonly event: BroadcastEvent;
}

/** How a receiver answers, by status; "never" leaves the sender waiting. */
export type Answer = number | "never";

/** Takes the place of the internet: whatever the Worker under test fetches comes here. */
export class WebhookReceiver {
	readonly got: Received[] = [];
	/** By the host's first name; 200 of those that are not named. */
	readonly answers: Record<string, (received: Received) => Answer> = {};

	async fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
		const request = new Request(input, init);
		const body = await request.text();
		const { headers, url } = request;
		const received = {
			url,
			id: headers.get("webhook-id") ?? "",
			headers,
			body,
			event: JSON.parse(body) as BroadcastEvent,
		};
		this.got.push(received);
		const answer = this.answers[nameOf(url)]?.(received) ?? 200;
		if (answer === "never") {
			return new Promise((_, reject) => {
				init?.signal?.addEventListener("abort", () => reject(new Error("test: aborted")));
			});
		}
		return new Response(answer === 204 ? null : "ok", { status: answer });
	}

	/** The types that came to that host, in the order in which they came. */
	typesAt(name: string): string[] {
		return this.at(name).map(({ event }) => event.type);
	}

	at(name: string): Received[] {
		return this.got.filter(({ url }) => nameOf(url) === name);
	}
}

function nameOf(url: string): string {
	return new URL(url).hostname.split(".")[0] ?? "";
}

/** A receiver for each test of the file. */
export function receiveWebhooks(): () => WebhookReceiver {
	let receiver = new WebhookReceiver();
	beforeEach(() => {
		receiver = new WebhookReceiver();
		vi.spyOn(globalThis, "fetch").mockImplementation((input, init) => receiver.fetch(input as RequestInfo, init));
	});
	afterEach(() => {
		vi.restoreAllMocks();
	});
	return () => receiver;
}
