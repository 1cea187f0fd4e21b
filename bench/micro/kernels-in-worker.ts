import { blendGraphic } from "../../compositor-page/compositor/planar/blend.ts";
import { ColourConverter } from "../../compositor-page/compositor/planar/colour-converter.ts";
import { conversionToBt709 } from "../../compositor-page/compositor/planar/matrix-conversion.ts";
import { MemoryPicture } from "../../compositor-page/compositor/planar/memory-picture.ts";
import { PictureScaler } from "../../compositor-page/compositor/planar/picture-scaler.ts";
import { planarGraphic } from "../../compositor-page/compositor/planar/planar-graphic.ts";
import { storeGraphic } from "../../compositor-page/compositor/planar/stored-graphics.ts";
import { PictureMemory } from "../../compositor-page/kernels/picture-memory.ts";

/** The compositor's kernels, each on pictures as a 720p program has them. */
const HD = { width: 1280, height: 720 };
const LABEL = { width: 320, height: 48 };
const CARD = { width: 640, height: 720 };

export interface KernelTime {
	readonly name: string;
	/** Microseconds of one call. */
	readonly us: number;
	/** Samples that are written by one call. */
	readonly samples: number;
	/** Bytes of JavaScript's heap that a call leaves behind, where the browser tells. */
	readonly allocatedBytes: number;
}

/** Calls each kernel `calls` times. */
export function timeKernels(calls: number): KernelTime[] {
	const memory = new PictureMemory();
	const { kernels } = memory;
	const source = MemoryPicture.of(memory, HD.width, HD.height);
	const output = MemoryPicture.of(memory, HD.width, HD.height);
	fillWithNoise(source.bytes);
	const scaler = new PictureScaler(memory);
	const colours = new ColourConverter(memory);
	const label = storeGraphic(memory, planarGraphic(pixels(LABEL, 160), LABEL.width, LABEL.height));
	const card = storeGraphic(memory, planarGraphic(pixels(CARD, 255), CARD.width, CARD.height));
	const mask = memory.take(320 * 180 * Uint16Array.BYTES_PER_ELEMENT);
	new Uint16Array(memory.bytes.buffer, mask, 320 * 180).fill(256);
	const whole = { x: 0, y: 0, ...HD };
	const conversion = conversionToBt709({ matrix: "smpte170m", fullRange: true });
	if (conversion === undefined) {
		throw new Error("micro: expected a conversion from BT.601, got none");
	}
	const scaled = (width: number, height: number) => () => scaler.scale(source, output, { x: 0, y: 0, width, height });
	const cases: readonly (readonly [name: string, width: number, height: number, call: () => void])[] = [
		["scale 1280×720 to 320×180 (inset)", 320, 180, scaled(320, 180)],
		["scale 1280×720 to 640×360 (grid of four)", 640, 360, scaled(640, 360)],
		["scale 1280×720 to 720×640 (upright)", 720, 640, scaled(720, 640)],
		["blend a label of 320×48", 320, 48, () => blendGraphic(kernels, output, label, 24, 648, whole)],
		["copy a card of 640×720", 640, 720, () => blendGraphic(kernels, output, card, 0, 0, whole)],
		[
			"an inset of 320×180 through its mask",
			320,
			180,
			() => {
				for (const plane of [0, 1, 2] as const) {
					const shift = plane === 0 ? 0 : 1;
					kernels.maskPlane(
						source.address(plane),
						source.planes[plane].stride,
						mask,
						320 >> shift,
						output.address(plane, 936 >> shift, 516 >> shift),
						output.planes[plane].stride,
						320 >> shift,
						180 >> shift,
					);
				}
			},
		],
		["BT.601 full → BT.709 limited, 1280×720", 1280, 720, () => colours.convert(output, whole, conversion)],
	];
	return cases.map(([name, width, height, call]) => {
		for (let warm = 0; warm < Math.max(20, calls / 10); warm++) {
			call();
		}
		const heapBytes = usedHeapBytes();
		const startedMs = performance.now();
		for (let index = 0; index < calls; index++) {
			call();
		}
		const us = ((performance.now() - startedMs) * 1_000) / calls;
		return { name, us, samples: (width * height * 3) / 2, allocatedBytes: (usedHeapBytes() - heapBytes) / calls };
	});
}

/** Chromium's own counter, exact with --enable-precise-memory-info; `NaN` elsewhere. */
function usedHeapBytes(): number {
	const { memory } = performance as { memory?: { usedJSHeapSize: number } };
	return memory?.usedJSHeapSize ?? Number.NaN;
}

function pixels({ width, height }: { width: number; height: number }, alpha: number): Uint8Array {
	return Uint8Array.from({ length: width * height * 4 }, (_, at) => (at % 4 === 3 ? alpha : (at * 31) & 0xff));
}

function fillWithNoise(bytes: Uint8Array): void {
	let state = 1;
	for (let at = 0; at < bytes.length; at++) {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
		bytes[at] = state >>> 24;
	}
}
