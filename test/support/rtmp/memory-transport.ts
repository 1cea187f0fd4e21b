import type { ByteTransport } from "../../../rtmp/transport.ts";

/** Writes that one end may be ahead of the other's reads. */
const QUEUE_DEPTH = 256;

/**
 * Two ends of a connection in memory.
 *
 * The third part breaks the connection as a reset does: either end's reads and writes fail.
 *
 * @param pieceBytes cut all that is delivered into pieces of this size
 */
export function memoryTransportPair(pieceBytes = Number.POSITIVE_INFINITY): [ByteTransport, ByteTransport, () => void] {
	const there = oneWay(pieceBytes);
	const back = oneWay(pieceBytes);
	let open = true;
	const once = (how: "end" | "reset") => () => {
		if (open) {
			open = false;
			there[how]();
			back[how]();
		}
	};
	const close = once("end");
	const reset = once("reset");
	return [
		{ readable: back.readable, writable: there.writable, close },
		{ readable: there.readable, writable: back.writable, close },
		reset,
	];
}

function oneWay(pieceBytes: number) {
	let end = () => {};
	let reset = () => {};
	const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>(
		{
			start(controller) {
				end = () => controller.terminate();
				reset = () => controller.error(new Error("connection reset by peer"));
			},
			transform(bytes, controller) {
				for (let at = 0; at < bytes.length; at += pieceBytes) {
					controller.enqueue(bytes.subarray(at, at + pieceBytes));
				}
			},
		},
		new CountQueuingStrategy({ highWaterMark: QUEUE_DEPTH }),
		new CountQueuingStrategy({ highWaterMark: QUEUE_DEPTH }),
	);
	return { readable, writable, end: () => end(), reset: () => reset() };
}
