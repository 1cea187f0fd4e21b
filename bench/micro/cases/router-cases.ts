import { flvTagBytes } from "../../../media/flv/tag-writer.ts";
import { LiveStream } from "../../../worker/router/live-stream.ts";
import type { MediaSink } from "../../../worker/router/media-sink.ts";
import { inTurn, type MicroCase } from "../micro-case.ts";
import { AUDIO_CONFIG, programTags, VIDEO_CONFIG } from "../samples.ts";

const SUBSCRIBERS = [1, 5, 20];
/** As often as a real subscriber does (ACK_EVERY_TAGS), without its socket. */
const ACKNOWLEDGED_EVERY = 16;

const published = programTags(0, 4).map((tag) => ({ atMs: tag.timestampMs, data: bufferOf(flvTagBytes(tag)) }));
const bytes = published.reduce((sum, { data }) => sum + data.byteLength, 0) / published.length;

/** What the Router does with a message besides its sockets. */
export const ROUTER_CASES: readonly MicroCase[] = SUBSCRIBERS.map((subscribers) => ({
	name: `Router, a message to ${subscribers} ${subscribers === 1 ? "subscriber" : "subscribers"}`,
	unit: "message",
	bytes,
	run: inTurn(published, () => {
		const stream = new LiveStream({ stream: "guest", onChange: () => {} });
		const publisher = stream.publish(new CountingSink(), 0);
		for (const config of [VIDEO_CONFIG, AUDIO_CONFIG]) {
			stream.publisherMessage(publisher, bufferOf(flvTagBytes(config)), 0);
		}
		const listening = Array.from({ length: subscribers }, (_, index) => {
			const sink = new CountingSink();
			const options = { id: `subscriber-${index}`, acknowledges: true, withGroup: true };
			return { sink, subscriber: stream.fanout.subscribe(sink, options, 0) };
		});
		return ({ atMs, data }) => {
			stream.publisherMessage(publisher, data, atMs);
			for (const { sink, subscriber } of listening) {
				// The FLV header is none of the tags that are counted.
				if (sink.messages % ACKNOWLEDGED_EVERY === 0) {
					stream.fanout.subscriberMessage(subscriber, `{"type":"ack","tags":${sink.messages - 1}}`, atMs);
				}
			}
		};
	}),
}));

class CountingSink implements MediaSink {
	messages = 0;

	send(): boolean {
		this.messages += 1;
		return true;
	}

	sendText(): boolean {
		return true;
	}

	close(kind: string, reason: string): void {
		throw new Error(`micro: expected nobody to be closed, got ${kind}: ${reason}`);
	}
}

function bufferOf(bytesOfMessage: Uint8Array): ArrayBuffer {
	return new Uint8Array(bytesOfMessage).buffer;
}
