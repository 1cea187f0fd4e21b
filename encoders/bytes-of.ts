/** The bytes of what WebCodecs gives as a buffer or a view of one; not a copy. */
export function bytesOf(source: AllowSharedBufferSource): Uint8Array {
	return ArrayBuffer.isView(source)
		? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
		: new Uint8Array(source);
}
