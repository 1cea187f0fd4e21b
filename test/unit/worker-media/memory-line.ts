import type { ByteTransport } from "../../../rtmp/transport.ts";

/** Writes that one end may be ahead of the other's reads: what a kernel's buffers are to TCP. */
const QUEUE_DEPTH = 64;

/** Two ends of a connection in memory, which runs in Node and in workerd. */
export function memoryLine(): [ByteTransport, ByteTransport] {
	const there = oneWay();
	const back = oneWay();
	const close = () => {
		there.cut();
		back.cut();
	};
	return [
		{ readable: back.readable, writable: there.writable, close },
		{ readable: there.readable, writable: back.writable, close },
	];
}

/** Ends once: workerd throws where a stream that has ended is ended again. */
function oneWay() {
	let ended = false;
	let terminate = () => {};
	const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>(
		{
			start(controller) {
				terminate = () => controller.terminate();
			},
			transform(bytes, controller) {
				controller.enqueue(bytes.slice());
			},
			flush() {
				ended = true;
			},
		},
		new CountQueuingStrategy({ highWaterMark: QUEUE_DEPTH }),
		new CountQueuingStrategy({ highWaterMark: QUEUE_DEPTH }),
	);
	const cut = () => {
		if (!ended) {
			ended = true;
			terminate();
		}
	};
	return { readable, writable, cut };
}
