/**
 * WebSocket close codes (RFC 6455 §7.4.2, private range) of the media, control and runner sockets. The close reason says in words
 * what was expected and what came, in at most 123 bytes.
 *
 * `retry` tells a client whether connecting again can succeed: a refusal is final, a broken line is not.
 */
export const CLOSE = {
	/** The bytes are not FLV, or not a codec that can go on air. */
	badMedia: { code: 4400, retry: false },
	/** No valid token, or it has expired. */
	unauthorized: { code: 4401, retry: false },
	/** A valid token whose role may not do this. */
	forbidden: { code: 4403, retry: false },
	/** A publisher that never sent what it must, such as a video track. */
	noMedia: { code: 4408, retry: false },
	/** A newer publisher or compositor with the right to do so took over. */
	takenOver: { code: 4409, retry: false },
	/** The broadcast has ended or was deleted. */
	ended: { code: 4410, retry: false },
	/** A message larger than the limit. */
	tooLarge: { code: 4413, retry: false },
	/** The peer stopped reading or sending for longer than allowed. */
	stalled: { code: 4429, retry: true },
	/** Planned restart of our side. */
	restart: { code: 1012, retry: true },
	/** Normal end. */
	done: { code: 1000, retry: false },
} as const;

export type CloseKind = keyof typeof CLOSE;

const MAX_REASON_BYTES = 123;

/** A close reason cut to what RFC 6455 §5.5 allows in a control frame (125 bytes less the code). */
export function closeReason(text: string): string {
	const bytes = new TextEncoder().encode(text);
	if (bytes.byteLength <= MAX_REASON_BYTES) {
		return text;
	}
	return new TextDecoder().decode(bytes.subarray(0, MAX_REASON_BYTES)).replace(/\uFFFD+$/, "");
}

/** Whether a client may connect again after being closed with `code`. Unknown and abnormal codes mean a broken line. */
export function mayRetryAfter(code: number): boolean {
	const known = Object.values(CLOSE).find((entry) => entry.code === code);
	return known?.retry ?? true;
}
