/** What the decoder tests run in a dedicated worker of a real browser. */

import type { EncodedAudioFrame, EncodedVideoFrame } from "../../../media/encoded-frame.ts";
import type { PlanarPcm } from "../../../playout/audio/planar-pcm.ts";
import { AudioDecoderStage } from "../../../playout/decoders/audio-decoder-stage.ts";
import { type FrameOrigin, VideoDecoderStage } from "../../../playout/decoders/video-decoder-stage.ts";

/** Far more than a decoder ever takes; only bounds a hang. */
const PATIENCE_MS = 20_000;

export interface DecodedPicture {
	readonly ptsUs: number;
	readonly width: number;
	readonly height: number;
	/** Brightness of its middle, 0 to 255. */
	readonly luma: number;
	readonly origin: FrameOrigin;
}

export interface VideoDecoded {
	readonly pictures: readonly DecodedPicture[];
	readonly problems: readonly string[];
	readonly errors: number;
	readonly dropped: number;
}

/**
 * Decodes runs of frames; a run starts when the one before gave `pictures` in all, or an error more. `arrivalUs` of a frame is its number in all runs.
 */
export async function decodeVideo(
	runs: readonly { readonly frames: readonly EncodedVideoFrame[]; readonly pictures: number }[],
): Promise<VideoDecoded> {
	const pictures: DecodedPicture[] = [];
	const problems: string[] = [];
	const reading: Promise<void>[] = [];
	const stage = new VideoDecoderStage({
		onPicture: ({ frame, ptsUs, origin }) => {
			const { displayWidth: width, displayHeight: height } = frame;
			const place = pictures.length;
			pictures.push({ ptsUs, width, height, luma: Number.NaN, origin });
			reading.push(
				lumaOfMiddle(frame).then((luma) => {
					pictures[place] = { ptsUs, width, height, luma, origin };
				}),
			);
		},
		onRoom: () => {},
		onError: (reason) => problems.push(reason),
		nowUs: () => performance.now() * 1_000,
	});
	let pushed = 0;
	let expected = 0;
	for (const run of runs) {
		const problemsBefore = problems.length;
		for (const frame of run.frames) {
			await until("room in the decoder", () => stage.room > 0);
			stage.push(frame, { arrivalUs: pushed, dtsUs: frame.dtsUs, epoch: 0, source: 0, show: true });
			pushed += 1;
		}
		expected += run.pictures;
		await until(`${expected} pictures`, () => pictures.length >= expected || problems.length > problemsBefore);
		expected = pictures.length;
	}
	await Promise.all(reading);
	const { errors, dropped } = stage;
	stage.close();
	stage.close();
	return { pictures, problems, errors, dropped };
}

export interface DecodedBlock {
	readonly ptsUs: number;
	readonly sampleRate: number;
	readonly channels: number;
	readonly frames: number;
	/** Times the first channel went from below zero to above. */
	readonly cycles: number;
	readonly peak: number;
}

export interface AudioDecoded {
	readonly blocks: readonly DecodedBlock[];
	readonly problems: readonly string[];
	readonly errors: number;
}

/** As `decodeVideo`, with `blocks` of sound. Each frame is there at its own time. */
export async function decodeAudio(
	runs: readonly {
		readonly frames: readonly EncodedAudioFrame[];
		readonly blocks: number;
		/** How long to wait after it for what cannot be waited for. */
		readonly quietMs?: number;
	}[],
): Promise<AudioDecoded> {
	const blocks: DecodedBlock[] = [];
	const problems: string[] = [];
	let nowUs = 0;
	const stage = new AudioDecoderStage({
		onAudio: (pcm, ptsUs) => blocks.push({ ptsUs, ...figuresOf(pcm) }),
		onError: (reason) => problems.push(reason),
		nowUs: () => nowUs,
	});
	let expected = 0;
	for (const run of runs) {
		const problemsBefore = problems.length;
		for (const frame of run.frames) {
			nowUs = Math.max(nowUs, frame.ptsUs);
			stage.push(frame);
		}
		expected += run.blocks;
		await until(`${expected} blocks`, () => blocks.length >= expected || problems.length > problemsBefore);
		expected = blocks.length;
		await new Promise((resolve) => setTimeout(resolve, run.quietMs ?? 0));
	}
	const { errors } = stage;
	stage.close();
	stage.close();
	return { blocks, problems, errors };
}

/** Beyond noise around zero, and well within any of the tones. */
const CROSSING = 0.02;

function figuresOf(pcm: PlanarPcm): Omit<DecodedBlock, "ptsUs"> {
	const [first = new Float32Array()] = pcm.channels;
	let cycles = 0;
	let peak = 0;
	let wasBelow = false;
	for (const sample of first.subarray(0, pcm.frames)) {
		cycles += wasBelow && sample > CROSSING ? 1 : 0;
		wasBelow = sample < -CROSSING || (wasBelow && sample <= CROSSING);
		peak = Math.max(peak, Math.abs(sample));
	}
	return { sampleRate: pcm.sampleRate, channels: pcm.channels.length, frames: pcm.frames, cycles, peak };
}

/** Owns the frame. */
export async function lumaOfMiddle(frame: VideoFrame): Promise<number> {
	try {
		const bytes = new Uint8Array(frame.allocationSize());
		const [luma] = await frame.copyTo(bytes);
		const { width, height } = frame.visibleRect ?? { width: 0, height: 0 };
		return bytes[(luma?.offset ?? 0) + (height / 2) * (luma?.stride ?? 0) + width / 2] ?? Number.NaN;
	} finally {
		frame.close();
	}
}

export async function until(what: string, isSo: () => boolean): Promise<void> {
	const deadlineMs = performance.now() + PATIENCE_MS;
	while (!isSo()) {
		if (performance.now() > deadlineMs) {
			throw new Error(`expected ${what} within ${PATIENCE_MS} ms`);
		}
		await new Promise((resolve) => setTimeout(resolve, 1));
	}
}
