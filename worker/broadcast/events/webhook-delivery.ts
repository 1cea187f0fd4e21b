import { webhookSignature } from "./webhook-signature.ts";

/** A receiver stores an event and answers; one that works on it first is too slow, and gets it again. */
export const DELIVERY_TIMEOUT_MS = 10_000;
/** The receiver wants no more of them (Standard Webhooks, "Responses"). */
const GONE = 410;

export type DeliveryResult =
	| { readonly kind: "delivered" }
	/** The webhook is to be removed. */
	| { readonly kind: "gone" }
	/** In words, without anything of the address or the answer's body. */
	| { readonly kind: "failed"; readonly error: string };

export interface Delivery {
	readonly url: string;
	/** The same on every attempt, by which a receiver knows what it has got already. */
	readonly id: string;
	readonly body: string;
	/** See {@link webhookSignature}. */
	readonly secrets: string;
}

export interface DeliveryPorts {
	readonly fetch: typeof fetch;
	readonly nowMs: number;
	/** Calls `action` after that long, unless the function it gives was called before: a timer that is left keeps an object in memory. */
	after(ms: number, action: () => void): () => void;
}

/** One attempt at a delivery (Standard Webhooks). Never rejects. Redirects are not followed: they could lead anywhere. */
export async function deliver({ url, id, body, secrets }: Delivery, ports: DeliveryPorts): Promise<DeliveryResult> {
	const timestampS = Math.floor(ports.nowMs / 1_000);
	const waiting = new AbortController();
	const answered = ports.after(DELIVERY_TIMEOUT_MS, () => waiting.abort());
	let response: Response;
	try {
		const signature = await webhookSignature({ id, timestampS, body }, secrets);
		response = await ports.fetch(url, {
			method: "POST",
			headers: {
				"Content-Type": "application/json",
				"User-Agent": "tandem-webhooks",
				"webhook-id": id,
				"webhook-timestamp": String(timestampS),
				"webhook-signature": signature,
			},
			body,
			redirect: "manual",
			signal: waiting.signal,
		});
	} catch {
		// What the platform says of it may hold the address, in which there may be a secret.
		const found = waiting.signal.aborted ? "none" : "no connection";
		return {
			kind: "failed",
			error: `webhook: expected an answer within ${DELIVERY_TIMEOUT_MS / 1_000} s, got ${found}`,
		};
	} finally {
		answered();
	}
	// Nobody reads what it says; a body that breaks off does not matter.
	await response.body?.cancel().catch(() => undefined);
	if (response.ok) {
		return { kind: "delivered" };
	}
	return response.status === GONE
		? { kind: "gone" }
		: { kind: "failed", error: `webhook: expected status 2xx, got ${response.status}` };
}
