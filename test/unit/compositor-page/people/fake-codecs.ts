import { vi } from "vitest";
import { FakeFrame } from "./fake-frame.ts";

/** Little work to mix, and enough for what is told by level, not by pitch. */
const SOUND_RATE = 8_000;
const SOUND_FRAMES = 160;

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

	constructor(timestamp: number) {
		super();
		this.timestamp = timestamp;
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

/** What stands for Chromium's decoders: each chunk gives its picture or 20 ms of sound, when `deliver` is called. */
export class FakeCodecs {
	/** Every chunk that a video decoder took. */
	readonly videoChunks: Chunk[] = [];
	readonly audioChunks: Chunk[] = [];
	readonly pictures: FakePicture[] = [];
	/** The next chunk of video is one that the decoder cannot take. */
	failNext = false;
	/** Chunks that video decoders say they have not begun. */
	videoQueue = 0;
	#failVideo: (() => void) | undefined;
	#decoded: (() => void)[] = [];

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
				const picture = new FakePicture(chunk.timestamp);
				codecs.pictures.push(picture);
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
				codecs.#decoded.push(() => this.output(soundOf(chunk.timestamp)));
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

function soundOf(timestamp: number): unknown {
	return {
		timestamp,
		sampleRate: SOUND_RATE,
		numberOfChannels: 1,
		numberOfFrames: SOUND_FRAMES,
		copyTo(plane: Float32Array) {
			for (let index = 0; index < SOUND_FRAMES; index += 1) {
				plane[index] = levelAt(timestamp + (index * 1e6) / SOUND_RATE);
			}
		},
		close: () => undefined,
	};
}
