import { describe, expect, test } from "vitest";
import { LAYOUT_NAMES } from "../../../media/layout.ts";
import { useBrowser } from "../../support/browser/use-browser.ts";
import type {
	agreement,
	ComposedPicture,
	choice,
	composeOverlapping,
	measure,
	TestScene,
} from "./compositor-in-worker.ts";
import type { CardOptions, Rgb } from "./picture-formats.ts";

const browser = useBrowser();
const worker = new URL("./compositor-in-worker.ts", import.meta.url);

const KINDS = ["planar", "canvas"] as const;
/** Half of 720p on each side, which makes a test four times as fast. */
const SIZE = { width: 640, height: 360 };
const HD = { width: 1280, height: 720 };
const RED: Rgb = [191, 20, 20];
const GREEN: Rgb = [20, 170, 20];
const BLUE: Rgb = [20, 40, 191];
const YELLOW: Rgb = [191, 180, 20];
const GREY: Rgb = [90, 90, 90];
const WHITE: Rgb = [255, 255, 255];
const BARS = [RED, GREEN, BLUE, YELLOW] as const;
const GREYS = [GREY, GREY, GREY, GREY] as const;
/** Two or three conversions, of which the browser's own makes blue up to 7 levels darker each time; a wrong place is 60 and more off. */
const COLOUR_TOLERANCE = 16;

const host: CardOptions = { ...SIZE, quarters: BARS, disc: 0.4 };
const guest: CardOptions = { ...SIZE, quarters: [BLUE, YELLOW, RED, GREEN], disc: 0.4 };

async function compose(kind: (typeof KINDS)[number], ...scenes: TestScene[]): Promise<ComposedPicture[]> {
	return browser.run<ComposedPicture[]>(worker, "composeAll", [kind, scenes]);
}

async function composeSingle(kind: (typeof KINDS)[number], scene: TestScene): Promise<ComposedPicture> {
	const [picture] = await compose(kind, scene);
	if (picture === undefined) {
		throw new Error("test: expected a picture");
	}
	return picture;
}

describe("both compositors agree", () => {
	test.each([
		...LAYOUT_NAMES.map((layout) => ({ name: layout, layout, size: SIZE, cards: [host, guest] })),
		{ name: "upright vertical", layout: "vertical", size: { width: 360, height: 640 }, cards: [host, guest] },
		{ name: "upright pip", layout: "pip", size: { width: 360, height: 640 }, cards: [host, guest] },
		{
			name: "sources of other sizes",
			layout: "landscape",
			size: SIZE,
			cards: [
				{ ...host, width: 960, height: 540 },
				{ ...guest, width: 320, height: 180 },
			],
		},
		{ name: "an output no 16 divides", layout: "landscape", size: { width: 426, height: 238 }, cards: [host, guest] },
	] as const)("$name", async ({ layout, size, cards }) => {
		const people = cards.map((card, index) => ({ card, name: ["Ada Lovelace", "Grace Hopper"][index] ?? "" }));
		const { psnrDb, wholeDb } = await browser.run<Awaited<ReturnType<typeof agreement>>>(worker, "agreement", [
			{ layout, size, people },
		]);
		expect(Math.min(wholeDb, ...psnrDb), `${psnrDb} dB`).toBeGreaterThan(30);
	});
});

describe.each(KINDS)("the %s compositor", (kind) => {
	test("puts each person into the rectangle the layout says", async () => {
		const people = [{ card: { ...SIZE, quarters: BARS } }, { card: { ...SIZE, quarters: GREYS } }];
		const scenes = LAYOUT_NAMES.map((layout) => ({ layout, size: SIZE, people }));
		const [solo, pip, landscape, vertical] = (await compose(kind, ...scenes)) as Four<ComposedPicture>;
		expectOnStage(solo, [
			[300, 180, RED],
			[980, 540, YELLOW],
			[1270, 700, YELLOW],
		]);
		expectOnStage(pip, [
			[300, 180, RED],
			[920, 600, YELLOW],
			[1096, 606, GREY],
			[945, 525, GREY],
			[1247, 687, GREY],
			[1270, 700, YELLOW],
		]);
		// The middle half of the host: each colour gets half of the place.
		expectOnStage(landscape, [
			[160, 180, RED],
			[310, 180, RED],
			[330, 180, GREEN],
			[480, 540, YELLOW],
			[650, 10, GREY],
			[1270, 710, GREY],
		]);
		expectOnStage(vertical, [
			[10, 10, RED],
			[10, 350, BLUE],
			[1270, 170, GREEN],
			[10, 370, GREY],
			[1270, 710, GREY],
		]);
	});

	test("draws the inset's border at its edge, all around, with the picture below in its corners", async () => {
		const people = [{ card: { ...SIZE, quarters: BARS } }, { card: { ...SIZE, quarters: GREYS } }];
		const picture = await composeSingle(kind, { layout: "pip", size: SIZE, people });
		expectOnStage(picture, [
			[937, 600, WHITE],
			[1253, 600, WHITE],
			[1100, 517, WHITE],
			[1100, 693, WHITE],
			[942, 600, GREY],
			[1100, 522, GREY],
			[933, 600, YELLOW],
			[1258, 600, YELLOW],
		]);
	});

	test("shows the picture below in the round corners of an inset", async () => {
		const size = { width: 1_280, height: 720 };
		const people = [{ card: { ...size, quarters: BARS } }, { card: { ...size, quarters: GREYS } }];
		expectColours(await composeSingle(kind, { layout: "pip", size, people }), [
			[936, 516, YELLOW],
			[1255, 516, YELLOW],
			[936, 695, YELLOW],
			[1255, 695, YELLOW],
			// On the diagonal the line is met a third of the radius further in, and then the inset.
			[941, 521, WHITE],
			[1250, 690, WHITE],
			[945, 525, GREY],
		]);
	});

	test("an inset whose picture stands still stays over one that moves, and the other way round", async () => {
		const [still, moved] = [{ card: { ...SIZE, quarters: GREYS } }, { card: { ...SIZE, quarters: BARS } }];
		for (const people of [
			[moved, still],
			[still, moved],
		]) {
			const first = await composeSingle(kind, { layout: "pip", size: SIZE, people });
			const [, second] = await compose(
				kind,
				{ layout: "pip", size: SIZE, people },
				{ layout: "pip", size: SIZE, people },
			);
			expect(second?.rgba).toEqual(first.rgba);
		}
	});

	test("shows the inset on top also when its picture needs no scaling and the one below does", async () => {
		const people = [
			{ card: { width: 320, height: 180, quarters: BARS } },
			{ card: { width: 160, height: 90, quarters: GREYS } },
		];
		const picture = await composeSingle(kind, { layout: "pip", size: SIZE, people });
		expectOnStage(picture, [
			[1096, 606, GREY],
			[960, 540, GREY],
			[1200, 680, GREY],
		]);
	});

	test.each([
		{ name: "the output's shape", width: 640, height: 360 },
		{ name: "4:3", width: 640, height: 480 },
		{ name: "upright", width: 720, height: 1280 },
		{ name: "odd sides", width: 641, height: 361 },
		{ name: "pixels that are not square", width: 720, height: 576, displayWidth: 1024 },
	])("never stretches a source: $name", async ({ name: _, ...source }) => {
		const disc = source.width < source.height ? 0.12 : 0.3;
		const card: CardOptions = { ...source, quarters: GREYS, disc };
		const scenes = LAYOUT_NAMES.map((layout) => ({ layout, size: SIZE, people: [{ card }, { card }] }));
		for (const picture of await compose(kind, ...scenes)) {
			for (const place of picture.places.slice(-1)) {
				const { width, height } = brightBox(picture, place);
				expect(width).toBeGreaterThan(20);
				expect(Math.abs(width - height), `${width}x${height} in ${JSON.stringify(place)}`).toBeLessThanOrEqual(3);
			}
		}
	});

	test.each(["I420", "NV12", "I420A", "I422", "I444", "RGBA", "BGRX"] as const)("takes %s frames", async (format) => {
		const card: CardOptions = { ...SIZE, quarters: BARS, format };
		const people = [{ card }, { card }];
		for (const layout of ["landscape", "pip"] as const) {
			const picture = await composeSingle(kind, { layout, size: SIZE, people });
			const place = picture.places.at(-1) ?? { x: 0, y: 0, ...SIZE };
			const at = (x: number, y: number) =>
				[Math.round(place.x + place.width * x), Math.round(place.y + place.height * y)] as const;
			expectColours(picture, [
				[...at(0.25, 0.25), RED],
				[...at(0.75, 0.25), GREEN],
				[...at(0.25, 0.75), BLUE],
				[...at(0.75, 0.75), YELLOW],
				[...at(0.05, 0.08), RED],
				[...at(0.95, 0.92), YELLOW],
			]);
		}
	});

	test.each([
		{ matrix: "smpte170m", fullRange: false },
		{ matrix: "smpte170m", fullRange: true },
		{ matrix: "bt709", fullRange: true },
	] as const)("shows a source in $matrix (full range: $fullRange) in its own colours", async (colours) => {
		const card: CardOptions = { ...SIZE, quarters: BARS, ...colours };
		const picture = await composeSingle(kind, { layout: "landscape", size: SIZE, people: [{ card }, { card }] });
		expectOnStage(picture, [
			[160, 180, RED],
			[480, 180, GREEN],
			[800, 540, BLUE],
			[1120, 540, YELLOW],
		]);
	});

	test("gives BT.709 limited I420 at the time it was asked for, and leaves its inputs open", async () => {
		const [, picture] = await compose(
			kind,
			{ layout: "solo", size: SIZE, people: [{ card: host }] },
			{ layout: "pip", size: SIZE, people: [{ card: host }, { card: guest }] },
		);
		expect(picture).toMatchObject({
			...{ ...SIZE, format: "I420", timestamp: 33_333, duration: 33_333, inputsOpen: true },
			colorSpace: { primaries: "bt709", transfer: "bt709", matrix: "bt709", fullRange: false },
		});
	});

	test("shows the visible part of a padded frame only", async () => {
		const card: CardOptions = { width: 320, height: 180, quarters: BARS, padding: 16 };
		const picture = await composeSingle(kind, { layout: "solo", size: SIZE, people: [{ card }] });
		expectOnStage(picture, [
			[0, 0, RED],
			[1279, 0, GREEN],
			[0, 719, BLUE],
			[1279, 719, YELLOW],
		]);
	});

	test("follows a source, a layout and an output that change their size", async () => {
		const sizes = [
			{ width: 320, height: 180 },
			{ width: 640, height: 360 },
			{ width: 240, height: 320 },
			{ width: 160, height: 90 },
		];
		const outputs = [SIZE, SIZE, { width: 360, height: 640 }, { width: 426, height: 240 }];
		const scenes = sizes.flatMap((source, index) =>
			LAYOUT_NAMES.map((layout) => ({
				...{ layout, size: outputs[index] ?? SIZE },
				people: [{ card: { ...source, quarters: BARS } }, { card: { ...source, quarters: GREYS } }],
			})),
		);
		for (const picture of await compose(kind, ...scenes)) {
			const [first = { x: 0, y: 0, ...SIZE }, second] = picture.places;
			expectColours(picture, [[first.x + 2, first.y + 2, RED]]);
			if (second !== undefined) {
				expectColours(picture, [[second.x + second.width / 2, second.y + second.height / 2, GREY]]);
			}
		}
	});

	test("lays a person's name over the lower left of their picture, and nothing elsewhere", async () => {
		const card: CardOptions = { ...SIZE, quarters: GREYS };
		const [plain, named, blank] = (await compose(
			kind,
			{ layout: "landscape", size: SIZE, people: [{ card }, { card }] },
			{ layout: "landscape", size: SIZE, people: [{ card }, { card, name: "Grace Hopper" }] },
			{ layout: "landscape", size: SIZE, people: [{ card }, { card, name: " \n" }] },
		)) as [ComposedPicture, ComposedPicture, ComposedPicture];
		const box = changedBox(plain, named);
		expect(box.x).toBeGreaterThan(320);
		expect(box.x).toBeLessThan(340);
		expect(box.y).toBeGreaterThan(300);
		expect(box.x + box.width).toBeLessThan(640 - 100);
		expect(box.height).toBeLessThan(50);
		const { brightest, darkest } = lumaRange(named, box);
		expect(brightest).toBeGreaterThan(225);
		expect(darkest).toBeLessThan(60);
		expect(changedBox(plain, blank).width).toBe(0);
	});

	test("fills a person's place with their card, and an empty stage with the background and its title", async () => {
		const [card, stage] = (await compose(
			kind,
			{ layout: "landscape", size: SIZE, people: [{ card: host }, { name: "Grace Hopper" }] },
			{ layout: "landscape", size: SIZE, people: [], title: "Starting soon" },
		)) as [ComposedPicture, ComposedPicture];
		expectOnStage(card, [
			[160, 60, RED],
			[480, 60, GREEN],
		]);
		const place = lumaRange(card, { x: 320, y: 0, width: 320, height: 360 });
		expect(place.brightest).toBeGreaterThan(240);
		expect(lumaRange(card, { x: 320, y: 0, width: 320, height: 50 }).brightest).toBeLessThan(70);
		expect(lumaRange(stage, { x: 150, y: 150, width: 340, height: 60 }).brightest).toBeGreaterThan(240);
		expect(lumaRange(stage, { x: 0, y: 0, width: 640, height: 100 }).brightest).toBeLessThan(70);
	});

	test("works overlapping calls off in order, each with its own picture", async () => {
		const scenes = [RED, GREEN, BLUE, GREY].map((colour) => ({
			...{ layout: "solo", size: SIZE },
			people: [{ card: { ...SIZE, quarters: [colour, colour, colour, colour] } }],
		}));
		const { order, corners } = await browser.run<Awaited<ReturnType<typeof composeOverlapping>>>(
			worker,
			"composeOverlapping",
			[kind, scenes],
		);
		expect(order).toEqual([0, 1, 2, 3]);
		for (const [index, colour] of [RED, GREEN, BLUE, GREY].entries()) {
			expectNear(corners[index] ?? [], colour, `picture ${index}`);
		}
	});

	test("rejects a closed frame, goes on with the next, and rejects everything once closed", async () => {
		const people = [{ card: host }, { card: guest }];
		const scene: TestScene = { layout: "landscape", size: SIZE, people };
		const [broken, next, afterClose] = await browser.run<string[]>(worker, "composeBroken", [kind, scene]);
		expect(broken).toMatch(/closed/);
		expect(next).toBe("composed");
		expect(afterClose).toContain("compositor: expected to be open");
	});

	test("takes this long for two people in 720p (for information)", async () => {
		const people = [
			{ card: { ...host, ...HD }, name: "Ada Lovelace" },
			{ card: { ...guest, ...HD }, name: "Grace Hopper" },
		];
		const rounds = kind === "planar" ? 120 : 24;
		for (const layout of LAYOUT_NAMES) {
			const scene: TestScene = { layout, size: HD, people };
			const { p50, p95 } = await browser.run<Awaited<ReturnType<typeof measure>>>(worker, "measure", [
				kind,
				scene,
				rounds,
			]);
			console.log(`${kind} ${layout}: p50 ${p50.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms`);
		}
	});
});

test("without a GPU the planar compositor is chosen, and says why", async () => {
	const { kind, reason } = await browser.run<ReturnType<typeof choice>>(worker, "choice");
	expect(kind).toBe("planar");
	expect(reason).toMatch(/software|no WebGL/);
});

type ColouredPoint = readonly [x: number, y: number, colour: Rgb];
type Four<Each> = [Each, Each, Each, Each];
interface Box {
	readonly x: number;
	readonly y: number;
	readonly width: number;
	readonly height: number;
}

/** With points counted on a stage of 1280×720. */
function expectOnStage(picture: ComposedPicture, points: readonly ColouredPoint[]): void {
	expectColours(
		picture,
		points.map(([x, y, colour]) => [Math.floor((x * SIZE.width) / 1280), Math.floor((y * SIZE.height) / 720), colour]),
	);
}

function expectColours(picture: ComposedPicture, points: readonly ColouredPoint[]): void {
	for (const [x, y, colour] of points) {
		expectNear(pixel(picture, x, y), colour, `at ${x},${y}`);
	}
}

function expectNear(got: readonly number[], colour: Rgb, where: string): void {
	const off = colour.map((value, channel) => Math.abs(value - (got[channel] ?? Number.NaN)));
	expect(Math.max(...off), `${where}: ${got} against ${colour}`).toBeLessThanOrEqual(COLOUR_TOLERANCE);
}

function pixel({ rgba, width }: ComposedPicture, x: number, y: number): number[] {
	return Array.from(rgba.subarray((y * width + x) * 4, (y * width + x) * 4 + 3));
}

function brightness(picture: ComposedPicture, x: number, y: number): number {
	return picture.rgba[(y * picture.width + x) * 4 + 1] ?? 0;
}

function boxWhere(area: Box, wanted: (x: number, y: number) => boolean): Box {
	let [left, top, right, bottom] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, -1, -1];
	for (let y = area.y; y < area.y + area.height; y++) {
		for (let x = area.x; x < area.x + area.width; x++) {
			if (wanted(x, y)) {
				[left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
			}
		}
	}
	return right < 0
		? { x: 0, y: 0, width: 0, height: 0 }
		: { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}

/** Around the white disc of a grey card; the border of an inset is left out. */
function brightBox(picture: ComposedPicture, place: Box): Box {
	const inside = { x: place.x + 8, y: place.y + 8, width: place.width - 16, height: place.height - 16 };
	return boxWhere(inside, (x, y) => brightness(picture, x, y) > (255 + 90) / 2);
}

function changedBox(before: ComposedPicture, after: ComposedPicture): Box {
	const whole = { x: 0, y: 0, width: before.width, height: before.height };
	return boxWhere(whole, (x, y) => Math.abs(brightness(before, x, y) - brightness(after, x, y)) > 8);
}

function lumaRange(picture: ComposedPicture, area: Box): { brightest: number; darkest: number } {
	let [brightest, darkest] = [0, 255];
	for (let y = area.y; y < area.y + area.height; y++) {
		for (let x = area.x; x < area.x + area.width; x++) {
			brightest = Math.max(brightest, brightness(picture, x, y));
			darkest = Math.min(darkest, brightness(picture, x, y));
		}
	}
	return { brightest, darkest };
}
