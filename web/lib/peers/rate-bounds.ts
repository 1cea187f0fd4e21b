/**
 * Where WebRTC begins to find out what a line takes, and what it does not go below, in kb/s. Jitter looks like a line that is full: without a floor
 * the picture is starved on lines that are merely uneven, and waits in the sender until the encoder has followed.
 */
export interface RateBounds {
	readonly startKbps: number;
	readonly minKbps?: number;
}

/** For what goes on to be cut by the compositor's own jitter buffer. */
export const UPLINK_RATES: RateBounds = { startKbps: 1_000 };
/** For what is played by the browser, whose play-out falls behind for many seconds after a starved sender. */
export const TALK_RATES: RateBounds = { ...UPLINK_RATES, minKbps: 200 };

const BOUNDED_CODEC = /^a=rtpmap:(\d+) (?:VP8|VP9|H264|AV1)\/90000$/i;

/** A peer's description that makes what is sent to them keep to the bounds: Chromium and Safari read them as parameters of the codec, others pass them by. */
export function withRateBounds(sdp: string, { startKbps, minKbps }: RateBounds): string {
	const least = minKbps === undefined ? "" : `x-google-min-bitrate=${minKbps};`;
	const bounds = `${least}x-google-start-bitrate=${startKbps}`;
	const lines = sdp.split("\r\n");
	const isOfType = (type: string) => (line: string) => line.startsWith(`a=fmtp:${type} `);
	const bounded = lines.flatMap((line) => BOUNDED_CODEC.exec(line)?.[1] ?? []);
	return lines
		.flatMap((line) => {
			const type = BOUNDED_CODEC.exec(line)?.[1];
			return type === undefined || lines.some(isOfType(type)) ? [line] : [line, `a=fmtp:${type} ${bounds}`];
		})
		.map((line) => {
			const isBounded = bounded.some((type) => isOfType(type)(line)) && !line.includes("x-google-start-bitrate");
			return isBounded ? `${line};${bounds}` : line;
		})
		.join("\r\n");
}
