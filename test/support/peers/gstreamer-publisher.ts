import { PeerProgram } from "./peer-program.ts";

export interface GStreamerPicture {
	/** As videotestsrc draws it, such as `0xff2060c0` (ARGB). */
	readonly colour: string;
	readonly toneHz: number;
	readonly width: number;
	readonly height: number;
}

/** Publishes one colour and a tone with GStreamer's rtmp2sink. `url` ends in the stream key. */
export function publishWithGStreamer(picture: GStreamerPicture, url: string): PeerProgram {
	const { width, height } = picture;
	return new PeerProgram("gst-launch-1.0", [
		...["-q", "flvmux", "name=mux", "streamable=true", "!", "rtmp2sink", `location=${url}`],
		...["videotestsrc", "is-live=true", "pattern=solid-color", `foreground-color=${picture.colour}`],
		...["!", `video/x-raw,format=I420,width=${width},height=${height},framerate=30/1`],
		...["!", "x264enc", "tune=zerolatency", "speed-preset=ultrafast", "bitrate=800", "key-int-max=60"],
		...["!", "video/x-h264,profile=baseline", "!", "h264parse", "!", "queue", "!", "mux."],
		...["audiotestsrc", "is-live=true", "wave=sine", `freq=${picture.toneHz}`, "volume=0.3"],
		...["!", "audio/x-raw,rate=48000,channels=2", "!", "audioconvert", "!", "avenc_aac", "bitrate=128000"],
		...["!", "aacparse", "!", "queue", "!", "mux."],
	]);
}
