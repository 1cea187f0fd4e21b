import { vi } from "vitest";
import { FakeFrame } from "./fake-frame.ts";

/** What a decoder makes of a chunk of sound. Little to mix, and enough for what is told by level, not by pitch. */
export interface SoundShape {
	readonly sampleRate: number;
	readonly frames: number;
}

const TWENTY_MS: SoundShape = { sampleRate: 8_000, frames: 160 };

/** Level of the sound of a source time: rises for 64 s, so that what is heard tells when it was spoken. */
export function levelAt(ptsUs: number): number {
	return 0.1 + (ptsUs % 64e6) / 80e6;
}

export function ptsOfLevel(level: number): number {
	return (level - 0.1) * 80e6;
}

/** A decoded picture of a known time. */
export class FakePicture extends FakeFrame {
	readonly timestamp: number;
	readonly displayWidth = 640;
	readonly displayHeight = 360;

	readonly #onClose: () => void;

	constructor(timestamp: number, onClose: () => void) {
		super();
		this.timestamp = timestamp;
		this.#onClose = onClose;
	}

	override close(): void {
		super.close();
		this.#onClose();
	}
}

interface Chunk {
	readonly type: "key" | "delta";
	readonly timestamp: number;
}

type Output = (decoded: unknown) => void;

class FakeDecoder {
	state: "unconfigured" | "configured" | "closed" = "unconfigured";
	ondequeue: (() => void) | undefined;
	readonly output: Output;
	readonly error: (error: Error) => void;

	constructor(init: { readonly output: Output; readonly error: (error: Error) => void }) {
		this.output = init.output;
		this.error = init.error;
	}

	configure(): void {
		this.state = "configured";
	}

	close(): void {
		this.state = "closed";
	}
}

/** What stands for Chromium's decoders: each chunk gives its picture or a block of sound, when `deliver` is called. */
export class FakeCodecs {
	/** Every chunk that a video decoder took. */
	readonly videoChunks: Chunk[] = [];
	readonly audioChunks: Chunk[] = [];
	readonly pictures: FakePicture[] = [];
	/** Pictures decoded and not yet closed, at most. */
	mostOpenPictures = 0;
	#openPictures = 0;
	/** The next chunk of video is one that the decoder cannot take. */
	failNext = false;
	/** Chunks that video decoders say they have not begun. */
	videoQueue = 0;
	#failVideo: (() => void) | undefined;
	#decoded: (() => void)[] = [];
	readonly #sound: SoundShape;

	constructor(sound: SoundShape = TWENTY_MS) {
		this.#sound = sound;
	}

	install(): void {
		const codecs = this;
		class FakeVideoDecoder extends FakeDecoder {
			get decodeQueueSize(): number {
				return codecs.videoQueue;
			}

			decode(chunk: Chunk): void {
				codecs.#failVideo = () => this.#fail();
				codecs.videoChunks.push(chunk);
				if (codecs.failNext) {
					codecs.failNext = false;
					this.#fail();
					return;
				}
				const picture = new FakePicture(chunk.timestamp, () => {
					codecs.#openPictures -= 1;
				});
				codecs.pictures.push(picture);
				codecs.#openPictures += 1;
				codecs.mostOpenPictures = Math.max(codecs.mostOpenPictures, codecs.#openPictures);
				codecs.#decoded.push(() => this.output(picture));
			}

			#fail(): void {
				this.state = "closed";
				this.error(new Error("broken picture"));
			}
		}
		class FakeAudioDecoder extends FakeDecoder {
			decode(chunk: Chunk): void {
				codecs.audioChunks.push(chunk);
				codecs.#decoded.push(() => this.output(soundOf(chunk.timestamp, codecs.#sound)));
			}
		}
		class FakeChunk {
			readonly type: Chunk["type"];
			readonly timestamp: number;

			constructor(init: Chunk) {
				this.type = init.type;
				this.timestamp = init.timestamp;
			}
		}
		vi.stubGlobal("VideoDecoder", FakeVideoDecoder);
		vi.stubGlobal("AudioDecoder", FakeAudioDecoder);
		vi.stubGlobal("EncodedVideoChunk", FakeChunk);
		vi.stubGlobal("EncodedAudioChunk", FakeChunk);
	}

	/** The video decoder fails, as it does some time after the chunk it cannot take. */
	fail(): void {
		this.#failVideo?.();
	}

	/** Gives out all that was decoded; decoders never do so before `decode` has returned. */
	deliver(): void {
		const decoded = this.#decoded;
		this.#decoded = [];
		for (const give of decoded) {
			give();
		}
	}
}

function soundOf(timestamp: number, { sampleRate, frames }: SoundShape): unknown {
	return {
		timestamp,
		sampleRate,
		numberOfChannels: 1,
		numberOfFrames: frames,
		copyTo(plane: Float32Array) {
			for (let index = 0; index < frames; index += 1) {
				plane[index] = levelAt(timestamp + (index * 1e6) / sampleRate);
			}
		},
		close: () => undefined,
	};
}
