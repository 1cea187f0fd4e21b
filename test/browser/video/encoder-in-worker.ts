import { ProgramVideoEncoder } from "../../../encoders/avc/program-video-encoder.ts";
import { psnr } from "../../support/program/psnr.ts";
import { type Content, madePicture } from "./made-pictures.ts";

/** What the encoder's tests run in the browser. */

export interface EncodeRequest {
	readonly width: number;
	readonly height: number;
	readonly frameRate: number;
	readonly bitrateBps: number;
	readonly keyFrameEvery: number;
	readonly frames: number;
	readonly content: Content;
	/** What is encoded from this frame on instead. */
	readonly change?: { readonly at: number; readonly content: Content };
	/** Numbers the output clock skips. */
	readonly skip?: readonly number[];
	readonly requestKeyFrameBefore?: readonly number[];
	/** The frames of these numbers are closed before they are encoded. */
	readonly closedFrames?: readonly number[];
	/** The encoder is closed by whoever takes the frame of this number. */
	readonly closeOnFrame?: number;
	/** Frames are pushed at the output's pace; else each when the one before has come out. */
	readonly live?: boolean;
}

export interface EncodedPicture {
	readonly index: number;
	readonly keyFrame: boolean;
	readonly data: Uint8Array;
	readonly config: Uint8Array | undefined;
	readonly askedBps: number;
}

export interface EncodeResult {
	readonly pictures: readonly EncodedPicture[];
	/** How many frames the encoder left out. */
	readonly dropped: number;
	/** Errors that were mended. */
	readonly problems: readonly string[];
	/** Words about frames that were left out. */
	readonly leftOut: readonly string[];
	readonly failed: readonly string[];
}

export interface DecodeResult {
	readonly pictures: number;
	/** The least likeness of a picture to the card of its number. */
	readonly worstPsnr: number;
}

const US_PER_SECOND = 1_000_000;
/** Longer than the slowest encoder keeps a frame; a frame still missing then was lost. */
const PATIENCE_MS = 5_000;

/** Time is made up: frame n is encoded at n / fps, however long that takes. */
export async function encode(request: EncodeRequest): Promise<EncodeResult> {
	const { frameRate, frames, keyFrameEvery, width, height, bitrateBps, change, live, closeOnFrame } = request;
	const pictures: EncodedPicture[] = [];
	const problems: string[] = [];
	const leftOut: string[] = [];
	const failed: string[] = [];
	let nowUs = 0;
	let closed = false;
	const encoder = new ProgramVideoEncoder({
		...{ width, height, frameRate, bitrateBps, keyFrameEvery },
		nowUs: () => nowUs,
		onFrame: ({ ptsUs, keyFrame, data, config }) => {
			const index = Math.round((ptsUs * frameRate) / US_PER_SECOND);
			pictures.push({ index, keyFrame, data, config, askedBps: encoder.figures.targetBitrateBps });
			if (index === closeOnFrame) {
				encoder.close();
				closed = true;
			}
		},
		onProblem: (reason) => (reason.includes("leaves frames out") ? leftOut : problems).push(reason),
		onFailed: (reason) => failed.push(reason),
	});
	/** Frames that came out, were left out or were lost with a broken encoder. */
	const settled = () => pictures.length + encoder.figures.droppedFrames + problems.length;
	const ended = () => closed || failed.length > 0;
	const startMs = performance.now();
	let given = 0;
	for (let index = 0; index < frames; index++) {
		if (request.skip?.includes(index) === true) {
			continue;
		}
		const timeUs = Math.round((index * US_PER_SECOND) / frameRate);
		if (live === true) {
			await waitUntil(() => performance.now() - startMs >= timeUs / 1_000, 1);
		}
		nowUs = timeUs;
		if (request.requestKeyFrameBefore?.includes(index) === true) {
			encoder.requestKeyFrame();
		}
		const content = change !== undefined && index >= change.at ? change.content : request.content;
		const frame = new VideoFrame(madePicture(content, width, height, index), {
			...{ format: "I420", codedWidth: width, codedHeight: height, timestamp: timeUs },
			colorSpace: { primaries: "bt709", transfer: "bt709", matrix: "bt709", fullRange: false },
		});
		if (request.closedFrames?.includes(index) === true) {
			frame.close();
		}
		encoder.encode(frame, index);
		if (frame.format !== null) {
			throw new Error(`encode: expected frame ${index} to be closed, got an open one`);
		}
		given += 1;
		if (live !== true) {
			await waitUntil(() => ended() || settled() >= given, 0);
		}
	}
	await waitUntil(() => ended() || settled() >= given, 5);
	const dropped = encoder.figures.droppedFrames;
	encoder.close();
	encoder.close();
	return { pictures, dropped, problems, leftOut, failed };
}

/** Decodes pictures by the browser's own decoder; where they show cards, every tenth is compared. */
export async function decode(pictures: readonly EncodedPicture[], codec: string): Promise<DecodeResult> {
	const likenesses: Promise<number>[] = [];
	const failures: string[] = [];
	let decoded = 0;
	const decoder = new VideoDecoder({
		output: (frame) => {
			decoded += 1;
			if (frame.timestamp % 10 === 0) {
				likenesses.push(likeness(frame));
			} else {
				frame.close();
			}
		},
		error: (error) => failures.push(error.message),
	});
	const description = pictures[0]?.config;
	decoder.configure({ codec, ...(description === undefined ? {} : { description }) });
	for (const { data, index, keyFrame } of pictures) {
		decoder.decode(new EncodedVideoChunk({ type: keyFrame ? "key" : "delta", timestamp: index, data }));
	}
	await decoder.flush();
	decoder.close();
	if (failures.length > 0) {
		throw new Error(`decode: expected no failure, got ${failures.join("; ")}`);
	}
	return { pictures: decoded, worstPsnr: Math.min(...(await Promise.all(likenesses))) };
}

/** To the card of the frame's number, which is its timestamp. Closes the frame. */
async function likeness(frame: VideoFrame): Promise<number> {
	try {
		const { displayWidth: width, displayHeight: height, timestamp } = frame;
		const bytes = new Uint8Array((width * height * 3) / 2);
		await frame.copyTo(bytes, {
			rect: { x: 0, y: 0, width, height },
			layout: [
				{ offset: 0, stride: width },
				{ offset: width * height, stride: width / 2 },
				{ offset: (width * height * 5) / 4, stride: width / 2 },
			],
		});
		return psnr(madePicture("card", width, height, timestamp), bytes);
	} finally {
		frame.close();
	}
}

async function waitUntil(condition: () => boolean, everyMs: number): Promise<void> {
	const endMs = performance.now() + PATIENCE_MS;
	while (!condition() && performance.now() < endMs) {
		await new Promise((resolve) => setTimeout(resolve, everyMs));
	}
}
