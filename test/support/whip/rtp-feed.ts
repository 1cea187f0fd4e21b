import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { PeerProgram } from "../peers/peer-program.ts";

export interface RtpPicture {
	/** As ffmpeg takes it, such as `0x2050b0`. */
	readonly colour: string;
	readonly toneHz: number;
	readonly width: number;
	readonly height: number;
}

/** ffmpeg's RTP of one colour (H.264, baseline) and a tone (Opus), one packet a call, as long as it is not disposed of. */
export async function feedRtp(
	{ colour, toneHz, width, height }: RtpPicture,
	onPacket: (track: "video" | "audio", packet: Buffer) => void,
): Promise<AsyncDisposable> {
	const undo = new AsyncDisposableStack();
	const video = await receiver((packet) => onPacket("video", packet), undo);
	const audio = await receiver((packet) => onPacket("audio", packet), undo);
	undo.use(
		new PeerProgram("ffmpeg", [
			...["-v", "error", "-nostdin", "-re", "-f", "lavfi", "-i", `color=c=${colour}:s=${width}x${height}:r=30`],
			...["-re", "-f", "lavfi", "-i", `sine=frequency=${toneHz}:sample_rate=48000,volume=6dB`],
			...["-map", "0:v", "-c:v", "libx264", "-profile:v", "baseline", "-preset", "ultrafast", "-tune", "zerolatency"],
			...["-pix_fmt", "yuv420p", "-g", "30", "-bf", "0", "-bsf:v", "dump_extra"],
			...["-f", "rtp", "-payload_type", "96", `rtp://127.0.0.1:${video}?pkt_size=1200`],
			...["-map", "1:a", "-c:a", "libopus", "-b:a", "64k", "-ac", "2", "-frame_duration", "20"],
			...["-f", "rtp", "-payload_type", "97", `rtp://127.0.0.1:${audio}?pkt_size=1200`],
		]),
	);
	return undo;
}

async function receiver(onPacket: (packet: Buffer) => void, undo: AsyncDisposableStack): Promise<number> {
	const socket: Socket = createSocket("udp4");
	socket.on("message", onPacket);
	socket.bind(0, "127.0.0.1");
	await once(socket, "listening");
	undo.defer(() => new Promise<void>((resolve) => socket.close(() => resolve())));
	return socket.address().port;
}
