import { CanvasCompositor } from "../../../compositor-page/compositor/canvas-compositor.ts";
import { chooseCompositor } from "../../../compositor-page/compositor/choose-compositor.ts";
import type { ComposedPlace, Compositor, CompositorKind } from "../../../compositor-page/compositor/compositor.ts";
import { PlanarCompositor } from "../../../compositor-page/compositor/planar/planar-compositor.ts";
import { GraphicsCache } from "../../../compositor-page/graphics/graphics-cache.ts";
import { labelPosition } from "../../../compositor-page/graphics/label.ts";
import { layOut, type OutputSize } from "../../../compositor-page/layouts/lay-out.ts";
import type { LayoutName, Rect } from "../../../media/layout.ts";
import { type CardOptions, cardFrame } from "./picture-formats.ts";

/** What the compositors' tests run in the browser. */

export interface TestPerson {
	/** What the frame shows; without it the person's card is shown. */
	readonly card?: CardOptions;
	readonly name?: string;
}

export interface TestScene {
	readonly layout: LayoutName;
	readonly size: OutputSize;
	readonly people: readonly TestPerson[];
	readonly title?: string;
}

/** A composed picture as the browser converts it to RGB. */
export interface ComposedPicture {
	readonly width: number;
	readonly height: number;
	readonly rgba: Uint8Array;
	readonly format: string | null;
	readonly colorSpace: VideoColorSpaceInit;
	readonly timestamp: number;
	readonly duration: number | null;
	/** Whether every input frame was still open afterwards. */
	readonly inputsOpen: boolean;
	readonly places: readonly Rect[];
}

const DURATION_US = 33_333;
const graphics = new GraphicsCache();

/** Composes the scenes one after the other with one compositor. */
export async function composeAll(kind: CompositorKind, scenes: readonly TestScene[]): Promise<ComposedPicture[]> {
	const compositor = compositorOf(kind);
	const pictures: ComposedPicture[] = [];
	for (const [index, scene] of scenes.entries()) {
		pictures.push(await composeOne(compositor, scene, index * DURATION_US));
	}
	compositor.close();
	return pictures;
}

/** Composes the scene with both compositors and compares them, place by place: peak signal-to-noise ratio in dB of RGB. */
export async function agreement(scene: TestScene): Promise<{ readonly psnrDb: number[]; readonly wholeDb: number }> {
	const [planar] = await composeAll("planar", [scene]);
	const [canvas] = await composeAll("canvas", [scene]);
	if (planar === undefined || canvas === undefined) {
		throw new Error("test: expected two pictures");
	}
	const whole = { x: 0, y: 0, ...scene.size };
	return {
		psnrDb: planar.places.map((place) => psnr(planar, canvas, place)),
		wholeDb: psnr(planar, canvas, whole),
	};
}

/** Starts all scenes at once; says in which order the frames came and what each shows in its first pixel. */
export async function composeOverlapping(
	kind: CompositorKind,
	scenes: readonly TestScene[],
): Promise<{ readonly order: number[]; readonly corners: number[][] }> {
	const compositor = compositorOf(kind);
	const order: number[] = [];
	const pictures = await Promise.all(
		scenes.map(async (scene, index) => {
			const picture = await composeOne(compositor, scene, index);
			order.push(index);
			return picture;
		}),
	);
	compositor.close();
	return { order, corners: pictures.map(({ rgba }) => Array.from(rgba.subarray(0, 3))) };
}

/** A frame that is closed already, then a good one, then one after `close`. */
export async function composeBroken(kind: CompositorKind, scene: TestScene): Promise<string[]> {
	const compositor = compositorOf(kind);
	const outcomes: string[] = [];
	const attempt = async (closeFirst: boolean) => {
		try {
			await composeOne(compositor, scene, 0, closeFirst);
			outcomes.push("composed");
		} catch (error) {
			outcomes.push(error instanceof Error ? error.message : String(error));
		}
	};
	await attempt(true);
	await attempt(false);
	compositor.close();
	compositor.close();
	await attempt(false);
	return outcomes;
}

/** How long the composite step takes, in milliseconds. */
export async function measure(
	kind: CompositorKind,
	scene: TestScene,
	rounds: number,
): Promise<{ readonly p50: number; readonly p95: number }> {
	const compositor = compositorOf(kind);
	// Two in turn: a picture that is the same as the last would not be drawn again.
	const compositions = [compositionOf(scene), compositionOf(scene)] as const;
	const frames = compositions.flatMap((each) => each.frames);
	const times: number[] = [];
	for (let round = 0; round < rounds; round++) {
		const { input } = compositions[round % 2 === 0 ? 0 : 1];
		const start = performance.now();
		const composed = await compositor.compose(input, round, DURATION_US);
		times.push(performance.now() - start);
		composed.close();
	}
	for (const frame of frames) {
		frame.close();
	}
	compositor.close();
	const sorted = times.slice(Math.floor(rounds / 4)).sort((a, b) => a - b);
	const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
	return { p50: at(0.5), p95: at(0.95) };
}

export function choice(): { readonly kind: CompositorKind; readonly reason: string } {
	const { compositor, reason } = chooseCompositor();
	compositor.close();
	return { kind: compositor.kind, reason };
}

function compositorOf(kind: CompositorKind): Compositor {
	return kind === "planar" ? new PlanarCompositor() : new CanvasCompositor();
}

async function composeOne(
	compositor: Compositor,
	scene: TestScene,
	timestampUs: number,
	closeFirst = false,
): Promise<ComposedPicture> {
	const { input, frames } = compositionOf(scene);
	if (closeFirst) {
		frames[0]?.close();
	}
	try {
		const composed = await compositor.compose(input, timestampUs, DURATION_US);
		try {
			const rgba = new Uint8Array(composed.allocationSize({ format: "RGBA" }));
			await composed.copyTo(rgba, { format: "RGBA" });
			const { displayWidth: width, displayHeight: height, format, timestamp, duration } = composed;
			const colorSpace = composed.colorSpace.toJSON();
			const inputsOpen = frames.every((frame) => frame.format !== null);
			const places = input.places.map(({ rect }) => rect);
			return { width, height, rgba, format, colorSpace, timestamp, duration, inputsOpen, places };
		} finally {
			composed.close();
		}
	} finally {
		for (const frame of frames) {
			frame.close();
		}
	}
}

function compositionOf(scene: TestScene) {
	const frames: VideoFrame[] = [];
	const ids = scene.people.map((_, index) => String(index));
	const places = layOut(scene.layout, scene.size, ids).places.map(({ id, rect, z, border }): ComposedPlace => {
		const { card, name = "" } = scene.people[Number(id)] ?? {};
		const common = { rect, z, ...(border === undefined ? {} : { border }) };
		if (card === undefined) {
			return { ...common, picture: { kind: "card", card: graphics.card(name, "Will be right back", rect) } };
		}
		const frame = cardFrame(card);
		frames.push(frame);
		const graphic = graphics.label(name, rect);
		const label = graphic === undefined ? {} : { label: { graphic, ...labelPosition(rect, graphic) } };
		return { ...common, picture: { kind: "frame", frame }, ...label };
	});
	const title = scene.title === undefined ? {} : { title: scene.title };
	return { input: { ...scene.size, background: graphics.background(scene.size, title), places }, frames };
}

function psnr(a: ComposedPicture, b: ComposedPicture, place: Rect): number {
	let squares = 0;
	for (let y = place.y; y < place.y + place.height; y++) {
		for (let x = place.x; x < place.x + place.width; x++) {
			for (let channel = 0; channel < 3; channel++) {
				const at = (y * a.width + x) * 4 + channel;
				squares += ((a.rgba[at] ?? 0) - (b.rgba[at] ?? 0)) ** 2;
			}
		}
	}
	return 10 * Math.log10(255 ** 2 / (squares / (place.width * place.height * 3) + 1e-9));
}
