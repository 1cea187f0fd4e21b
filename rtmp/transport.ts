/**
 * The bytes under RTMP: a TCP or TLS connection, or anything that behaves like one.
 *
 * A write's promise settles when the transport took the bytes, which is the back-pressure of every layer above. `close()` drops the
 * connection at once in both directions and may be called at any time, more than once.
 */
export interface ByteTransport {
	readonly readable: ReadableStream<Uint8Array>;
	readonly writable: WritableStream<Uint8Array>;
	close(): void;
}
