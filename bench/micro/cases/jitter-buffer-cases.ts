import type { EncodedFrame } from "../../../media/encoded-frame.ts";
import { TAG_TYPE } from "../../../media/flv/tag.ts";
import { msToUs } from "../../../media/units.ts";
import { JitterBuffer } from "../../../playout/jitter/frame-buffer.ts";
import { PlayoutClock } from "../../../playout/jitter/playout-clock.ts";
import { inTurn, type MicroCase } from "../micro-case.ts";
import { PICTURE_BYTES, programTags } from "../samples.ts";

const SECONDS = 20;
/** How much later than the quickest frames come, in turn: a home network. */
const LATER_MS = [0, 3, 1, 12, 0, 5, 30, 2, 0, 8] as const;
/** Frames are handed out so long before they are to be seen. */
const LEAD_US = 10_000;

interface Arriving {
	readonly frame: EncodedFrame;
	readonly arrivalUs: number;
}

const arriving = programTags(0, SECONDS)
	.filter(({ type }) => type === TAG_TYPE.video)
	.map(({ timestampMs, body, keyFrame }, index): Arriving => {
		const ptsUs = msToUs(timestampMs);
		const frame: EncodedFrame = { track: "video", codec: "avc", keyFrame, ptsUs, dtsUs: ptsUs, data: body };
		return { frame, arrivalUs: msToUs(timestampMs + 1_000 + (LATER_MS[index % LATER_MS.length] ?? 0)) };
	});

export const JITTER_BUFFER_CASES: readonly MicroCase[] = [
	{
		name: "Jitter buffer with its clock, in and out",
		unit: "frame",
		bytes: PICTURE_BYTES,
		run: inTurn(arriving, () => {
			const clock = new PlayoutClock();
			const buffer = new JitterBuffer<EncodedFrame>(clock);
			return ({ frame, arrivalUs }) => {
				clock.onArrival({ track: "video", dtsUs: frame.dtsUs, arrivalUs });
				buffer.push(frame, arrivalUs);
				clock.advance(arrivalUs);
				buffer.popDue(arrivalUs, LEAD_US);
			};
		}),
	},
];
