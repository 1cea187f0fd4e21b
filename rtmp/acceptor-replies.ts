import { ByteWriter } from "../media/bytes/byte-writer.ts";
import { type Command, onStatus } from "./command.ts";
import { connectResult } from "./connect-command.ts";
import { OUR_CHUNK_SIZE, OUR_WINDOW_BYTES } from "./limits.ts";
import { BANDWIDTH_LIMIT, USER_CONTROL } from "./message.ts";
import type { MessageStream } from "./message-stream.ts";

const PUBLISH_START = "NetStream.Publish.Start";

/** What a server says to a `connect` it accepts (RTMP 1.0 §7.2.1.1, figure "connect"). */
export async function welcome(stream: MessageStream, connect: Command): Promise<void> {
	await stream.sendControl({ kind: "window-acknowledgement-size", windowBytes: OUR_WINDOW_BYTES });
	await stream.sendControl({
		kind: "set-peer-bandwidth",
		windowBytes: OUR_WINDOW_BYTES,
		limit: BANDWIDTH_LIMIT.dynamic,
	});
	await stream.sendControl({ kind: "set-chunk-size", chunkSize: OUR_CHUNK_SIZE });
	await stream.sendCommand(connectResult(connect));
}

/**
 * What a server says to a `publish` it accepts (RTMP 1.0 §7.2.2.6).
 *
 * @param afterFcPublish Adobe's encoder said FCPublish and waits for `onFCPublish`
 */
export async function announceStart(stream: MessageStream, streamId: number, afterFcPublish: boolean): Promise<void> {
	const data = new ByteWriter(4).u32(streamId).finish();
	await stream.sendControl({ kind: "user-control", event: USER_CONTROL.streamBegin, data });
	if (afterFcPublish) {
		const information = { level: "status", code: PUBLISH_START, description: "Publishing" };
		await stream.sendCommand({ name: "onFCPublish", transactionId: 0, args: [null, information] });
	}
	await stream.sendCommand(onStatus("status", PUBLISH_START, "Publishing"), streamId);
}
