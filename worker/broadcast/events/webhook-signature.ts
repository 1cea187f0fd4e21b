import { encodeBase64 } from "hono/utils/encode";

/** What a webhook's secret begins with (Standard Webhooks, "Signature scheme"). */
export const WEBHOOK_SECRET_PREFIX = "whsec_";
/** Standard Webhooks asks for 24 to 64. */
const SECRET_BYTES = 32;
const MIN_SECRET_BYTES = 24;
const MAX_SECRET_BYTES = 64;

const encoder = new TextEncoder();

/** What is signed: these three with dots between them. */
export interface SignedDelivery {
	readonly id: string;
	/** Of the attempt, in seconds since the epoch. */
	readonly timestampS: number;
	readonly body: string;
}

export function newWebhookSecret(): string {
	return WEBHOOK_SECRET_PREFIX + encodeBase64(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)).buffer);
}

/**
 * The header `webhook-signature`: `v1,<base64 of HMAC-SHA-256>` for each secret, the newest first.
 *
 * @param secrets one `whsec_…`, or while it is being replaced two with a space between them
 * @throws for a secret of another form; the message holds none of it
 */
export async function webhookSignature({ id, timestampS, body }: SignedDelivery, secrets: string): Promise<string> {
	const signed = encoder.encode(`${id}.${timestampS}.${body}`);
	const signatures = secrets
		.trim()
		.split(/\s+/)
		.map(async (secret) => {
			const key = await crypto.subtle.importKey("raw", secretBytes(secret), { name: "HMAC", hash: "SHA-256" }, false, [
				"sign",
			]);
			return `v1,${encodeBase64(await crypto.subtle.sign("HMAC", key, signed))}`;
		});
	return (await Promise.all(signatures)).join(" ");
}

function secretBytes(secret: string): Uint8Array<ArrayBuffer> {
	const encoded = secret.startsWith(WEBHOOK_SECRET_PREFIX) ? secret.slice(WEBHOOK_SECRET_PREFIX.length) : "";
	const isBase64 = /^[A-Za-z0-9+/]+={0,2}$/.test(encoded) && encoded.length % 4 === 0;
	const bytes = isBase64 ? Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0)) : new Uint8Array();
	if (bytes.byteLength < MIN_SECRET_BYTES || bytes.byteLength > MAX_SECRET_BYTES) {
		throw new Error(
			`webhook: expected a secret whsec_ and ${MIN_SECRET_BYTES} to ${MAX_SECRET_BYTES} bytes in base64, got another form`,
		);
	}
	return bytes;
}
