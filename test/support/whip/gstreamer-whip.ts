import { fileURLToPath } from "node:url";
import type { GStreamerPicture } from "../peers/gstreamer-publisher.ts";
import { PeerProgram } from "../peers/peer-program.ts";

const SCRIPT = fileURLToPath(new URL("gstreamer-whip.py", import.meta.url));
/** Debian's, which has GStreamer's bindings; another on PATH has not. */
const PYTHON = "/usr/bin/python3";

/** Publishes by WHIP with GStreamer's webrtcbin: VP8 and Opus, all candidates in the offer, and the session ended on SIGTERM. */
export function whipWithGStreamer({ colour, toneHz, width, height }: GStreamerPicture, url: string): PeerProgram {
	return new PeerProgram(PYTHON, [SCRIPT, url, colour, String(toneHz), String(width), String(height)]);
}
