import { type RtmpCloseReason, RtmpPublisher, RtmpRefusedError } from "../../../rtmp/publisher.ts";
import { parseRtmpUrl } from "../../../rtmp/url.ts";
import { dialTcp } from "../rtmp/tcp-transport.ts";

/** Our own publisher as a client: unlike encoders it can tell what the server said. `url` is without the key. */
export async function connectPublisher(url: string, streamKey: string): Promise<RtmpPublisher> {
	const parsed = parseRtmpUrl(url, streamKey);
	return await RtmpPublisher.connect(await dialTcp(parsed.port), { url: parsed });
}

/** What a publisher with this key is told. Throws when it is not refused. */
export async function refusalOf(url: string, streamKey: string): Promise<{ code: string; message: string }> {
	try {
		const publisher = await connectPublisher(url, streamKey);
		await publisher.close({ final: true });
	} catch (error) {
		if (error instanceof RtmpRefusedError) {
			return { code: error.code, message: error.message };
		}
		throw error;
	}
	throw new Error("rtmp client: expected to be refused, got Publish.Start");
}

/** How a session ends that the server is expected to end. */
export async function endOf(publisher: RtmpPublisher, withinMs: number): Promise<RtmpCloseReason> {
	let timer: ReturnType<typeof setTimeout> | undefined;
	const late = new Promise<never>((_resolve, reject) => {
		timer = setTimeout(
			() => reject(new Error(`rtmp client: expected to be told to go within ${withinMs} ms`)),
			withinMs,
		);
	});
	try {
		return await Promise.race([publisher.closed, late]);
	} finally {
		clearTimeout(timer);
		await publisher.close({ final: false });
	}
}
