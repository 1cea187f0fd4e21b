import type { VideoCodec } from "../../media/encoded-frame.ts";

/**
 * One picture of 16×16 in each codec, as Chromium's encoders made it; H.264 is `stillPicture` in Annex B with its parameter sets, of which two in a row must
 * differ in `idr_pic_id` (ITU-T H.264 §7.4.3).
 */
export const STAND_INS: Readonly<Record<VideoCodec, readonly string[]>> = {
	avc: [
		"000000016742c01eda7b016a020202800001f400007530078402150000000168ce3c8000000001658884064898a000e0",
		"000000016742c01eda7b016a020202800001f400007530078402150000000168ce3c8000000001658882019226280038",
	],
	vp8: ["1002009d012a100010000007088585889984880124100030cb4000"],
	vp9: ["824983424000f000f60638241c183a00002040003780"],
	av1: ["12000a0c000000019ff8034404040410320b104a0008208210002406b0"],
};

/**
 * A tiny key frame for each frame that is tapped. WebRTC's own decoder gets it in the place of the frame: without anything it would ask the sender for a
 * key frame every 400 ms, and decoding everything twice is dear.
 */
export class StandInFrames {
	readonly #bytes = new Map<VideoCodec, readonly Uint8Array[]>();
	#given = 0;

	constructor() {
		for (const codec of Object.keys(STAND_INS) as VideoCodec[]) {
			this.#bytes.set(codec, STAND_INS[codec].map(fromHex));
		}
	}

	/** A copy, which may be given away. */
	next(codec: VideoCodec): ArrayBuffer {
		const frames = this.#bytes.get(codec) ?? [];
		this.#given += 1;
		return Uint8Array.from(frames[this.#given % frames.length] ?? []).buffer;
	}
}

function fromHex(text: string): Uint8Array {
	return Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}
