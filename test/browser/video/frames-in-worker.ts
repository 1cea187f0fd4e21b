import { CanvasCompositor } from "../../../compositor-page/compositor/canvas-compositor.ts";
import type { CompositorKind } from "../../../compositor-page/compositor/compositor.ts";
import { PlanarCompositor } from "../../../compositor-page/compositor/planar/planar-compositor.ts";
import { contextOf } from "../../../compositor-page/graphics/graphic.ts";
import { GraphicsCache } from "../../../compositor-page/graphics/graphics-cache.ts";
import { composeScene } from "../../../compositor-page/program/scene-composition.ts";
import type { LayoutName } from "../../../media/layout.ts";
import type { Scene } from "../../../worker/protocol/control-messages.ts";
import { type CardOptions, cardFrame, type Rgb } from "./picture-formats.ts";

/** What the tests of turned frames and of memory run in the browser. */

/** How a frame is meant to be seen (WebCodecs §9.4.2, members that TypeScript's types do not know yet). */
export interface Orientation {
	readonly rotation?: 0 | 90 | 180 | 270;
	readonly flip?: boolean;
}

export interface Growth {
	/** Frames that are open after the run and were not before it. */
	readonly openFrames: number;
	/** Bytes of buffers made in either half of the run. */
	readonly earlyBytes: number;
	readonly lateBytes: number;
}

const DURATION_US = 33_333;

/** The colours of the quarters' centres, row by row, of a solo picture of a turned card. */
export async function composeTurned(kind: CompositorKind, card: CardOptions, orientation: Orientation): Promise<Rgb[]> {
	const upright = cardFrame(card);
	const turned = new VideoFrame(upright, orientation as VideoFrameInit);
	upright.close();
	const compositor = compositorOf(kind);
	try {
		const { displayWidth: width, displayHeight: height } = turned;
		const scene = sceneOf("solo", width, height, ["Ada"]);
		const composed = await compositor.compose(
			composeScene(
				{ ...scene, people: [{ id: "host", name: "", gain: 1, expected: true }] },
				[{ id: "host", frame: turned }],
				graphics,
			),
			0,
			DURATION_US,
		);
		const canvas = new OffscreenCanvas(composed.displayWidth, composed.displayHeight);
		const context = contextOf(canvas, {});
		context.drawImage(composed, 0, 0);
		composed.close();
		return [0.25, 0.75].flatMap((y) =>
			[0.25, 0.75].map((x): Rgb => {
				const [red = 0, green = 0, blue = 0] = context.getImageData(x * canvas.width, y * canvas.height, 1, 1).data;
				return [red, green, blue];
			}),
		);
	} finally {
		turned.close();
		compositor.close();
	}
}

/** Composes the same two people many times over, as a program does, and counts what stays. */
export async function composeManyTimes(
	kind: CompositorKind,
	layout: LayoutName,
	card: CardOptions,
	times: number,
): Promise<Growth> {
	const frames = [cardFrame(card), cardFrame(card)];
	const [host, guest] = frames;
	const compositor = compositorOf(kind);
	const scene = sceneOf(layout, 640, 360, ["Ada", "Grace"]);
	const counted = countMemory();
	try {
		let early = 0;
		for (let time = 0; time < times; time++) {
			if (time === Math.floor(times / 2)) {
				early = counted.bytes();
			}
			// Each time another frame, as from a decoder: what is the same as before would not be drawn again.
			const fresh = [new VideoFrame(host as VideoFrame), new VideoFrame(guest as VideoFrame)] as const;
			const onAir = [
				{ id: "host", frame: fresh[0] },
				{ id: "guest", frame: fresh[1] },
			] as const;
			const composed = await compositor.compose(composeScene(scene, onAir, graphics), time * DURATION_US, DURATION_US);
			composed.close();
			for (const frame of fresh) {
				frame.close();
			}
		}
		return { openFrames: counted.openFrames(), earlyBytes: early, lateBytes: counted.bytes() - early };
	} finally {
		counted.stop();
		compositor.close();
		for (const frame of frames) {
			frame.close();
		}
	}
}

export interface StillRun {
	/** Frames open after each picture of one that stands still, and after the compositor was closed. */
	readonly open: readonly number[];
	readonly timestamps: readonly number[];
	/** Whether all show the same. */
	readonly same: boolean;
}

/** Composes the very same frames again and again, then others, then closes. */
export async function composeStill(layout: LayoutName, card: CardOptions, times: number): Promise<StillRun> {
	const frames = [cardFrame(card), cardFrame(card), cardFrame(card)];
	const compositor = compositorOf("planar");
	const scene = sceneOf(layout, 640, 360, ["Ada", "Grace"]);
	const counted = countMemory();
	const open: number[] = [];
	const timestamps: number[] = [];
	const pictures: string[] = [];
	try {
		for (let time = 0; time <= times; time++) {
			const onAir = [
				{ id: "host", frame: frames[time === times ? 2 : 0] },
				{ id: "guest", frame: frames[1] },
			] as const;
			const composed = await compositor.compose(composeScene(scene, onAir, graphics), time * DURATION_US, DURATION_US);
			timestamps.push(composed.timestamp);
			const bytes = new Uint8Array(composed.allocationSize());
			await composed.copyTo(bytes);
			pictures.push(String(bytes.reduce((sum, each, at) => (sum * 31 + each + at) % 1_000_003, 0)));
			composed.close();
			open.push(counted.openFrames());
		}
		compositor.close();
		open.push(counted.openFrames());
		return { open, timestamps, same: new Set(pictures).size === 1 };
	} finally {
		counted.stop();
		for (const frame of frames) {
			frame.close();
		}
	}
}

const graphics = new GraphicsCache();

function sceneOf(layout: LayoutName, width: number, height: number, names: readonly [string, string?]): Scene {
	const [host, guest] = names;
	const people: Scene["people"] = [{ id: "host", name: host, gain: 1, expected: true }];
	if (guest !== undefined) {
		people.push({ id: "guest", name: guest, gain: 1, expected: true });
	}
	const rates = { frameRate: 30, videoBitrateBps: 3_000_000, audioBitrateBps: 128_000, keyFrameIntervalS: 2 };
	return { layout, width, height, people, ...rates };
}

function compositorOf(kind: CompositorKind): PlanarCompositor | CanvasCompositor {
	return kind === "planar" ? new PlanarCompositor() : new CanvasCompositor();
}

/** Puts counting constructors in the place of those that take memory, until `stop`. */
function countMemory(): { openFrames(): number; bytes(): number; stop(): void } {
	const original = {
		VideoFrame: globalThis.VideoFrame,
		ArrayBuffer: globalThis.ArrayBuffer,
		Uint8Array: globalThis.Uint8Array,
	};
	const { grow: originalGrow } = WebAssembly.Memory.prototype;
	const made: VideoFrame[] = [];
	let bytes = 0;
	globalThis.VideoFrame = new Proxy(original.VideoFrame, {
		construct: (target, args, newTarget) => {
			const frame: VideoFrame = Reflect.construct(target, args, newTarget);
			made.push(frame);
			return frame;
		},
	});
	const counting = <Constructor extends ArrayBufferConstructor | Uint8ArrayConstructor>(type: Constructor) =>
		new Proxy(type, {
			construct: (target, args, newTarget) => {
				bytes += typeof args[0] === "number" ? args[0] : 0;
				return Reflect.construct(target, args, newTarget);
			},
		});
	WebAssembly.Memory.prototype.grow = function grow(this: WebAssembly.Memory, pages: number) {
		bytes += pages * 65_536;
		return originalGrow.call(this, pages);
	};
	globalThis.ArrayBuffer = counting(original.ArrayBuffer);
	globalThis.Uint8Array = counting(original.Uint8Array);
	return {
		openFrames: () => made.filter((frame) => frame.format !== null).length,
		bytes: () => bytes,
		stop: () => {
			Object.assign(globalThis, original);
			WebAssembly.Memory.prototype.grow = originalGrow;
		},
	};
}
