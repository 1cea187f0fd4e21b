/** Tag type, data size, time, stream id: what stands before each body (Adobe FLV 10.1 §E.4.1). */
export const TAG_HEADER_BYTES = 11;
/** The size of a tag, repeated after it (§E.3). */
export const PREVIOUS_TAG_SIZE_BYTES = 4;
/** Signature, version, flags and data offset (§E.2). */
export const FILE_HEADER_BYTES = 9;
/** Largest body that the 24-bit data size can give; the same 16 MiB that bounds an RTMP message. */
export const MAX_TAG_BODY_BYTES = 0xffffff;
