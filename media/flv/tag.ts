/** FLV tag types (Adobe FLV 10.1 §E.4.1); the same numbers are RTMP message types 8, 9 and 18. */
export const TAG_TYPE = { audio: 8, video: 9, script: 18 } as const;

export type TagType = (typeof TAG_TYPE)[keyof typeof TAG_TYPE];

/**
 * One FLV tag without its framing: what an RTMP media message carries as its payload.
 *
 * `timestampMs` is the unsigned 32-bit millisecond time on the wire (0 … 2^32 − 1), which wraps.
 */
export interface FlvTag {
	readonly type: TagType;
	readonly timestampMs: number;
	readonly body: Uint8Array;
}
