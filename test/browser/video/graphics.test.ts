import { describe, expect, test } from "vitest";
import { chromaUOf, chromaVOf } from "../../../compositor-page/compositor/planar/yuv.ts";
import { useBrowser } from "../../support/browser/use-browser.ts";
import type { Painted, PaintRequest } from "./graphics-in-worker.ts";

const MODULE = new URL("./graphics-in-worker.ts", import.meta.url);
const HALF = { width: 640, height: 720 };
const INSET = { width: 320, height: 180 };
const FULL = { width: 1_280, height: 720 };
const UPRIGHT = { width: 720, height: 1_280 };
const LONG_NAME = "Dr. Maximiliana-Theodora von Hohenstein-Weissenfels, Professor Emerita";
const LONG_ARABIC_NAME = "أحمد عبد الرحمن الخوارزمي بن موسى أبو عبد الله الكبير";

const browser = useBrowser();

async function paint(request: PaintRequest): Promise<Painted> {
	const painted = await browser.run<Painted | null>(MODULE, "paint", [request]);
	if (painted === null) {
		throw new Error(`expected a ${request.kind} for ${request.text}, got none`);
	}
	return painted;
}

interface Extent {
	readonly left: number;
	readonly right: number;
	readonly top: number;
	readonly bottom: number;
}

/** Around all pixels of letters, which are lighter than anything behind them. */
function lettersIn({ width, height, pixels }: Painted, part: Partial<Extent> = {}): Extent | undefined {
	const found = { left: width, right: -1, top: height, bottom: -1 };
	for (let y = part.top ?? 0; y < (part.bottom ?? height); y++) {
		for (let x = part.left ?? 0; x < (part.right ?? width); x++) {
			if ((pixels[(y * width + x) * 4 + 1] ?? 0) > 150) {
				found.left = Math.min(found.left, x);
				found.right = Math.max(found.right, x);
				found.top = Math.min(found.top, y);
				found.bottom = Math.max(found.bottom, y);
			}
		}
	}
	return found.right < 0 ? undefined : found;
}

function heightOf(extent: Extent | undefined): number {
	return extent === undefined ? 0 : extent.bottom - extent.top + 1;
}

describe("labels", () => {
	test.each([
		{ name: "full", place: FULL, letters: 20 },
		{ name: "half", place: HALF, letters: 18 },
		{ name: "inset", place: INSET, letters: 9 },
		{ name: "upright", place: UPRIGHT, letters: 20 },
	])("are of even size and readable in a $name", async ({ place, letters }) => {
		const label = await paint({ kind: "label", text: "Ada Lovelace", ...place });
		expect([label.width % 2, label.height % 2]).toEqual([0, 0]);
		expect(label.width).toBeLessThan(place.width * 0.8);
		expect(heightOf(lettersIn(label))).toBeGreaterThanOrEqual(letters);
	});

	test("have their text in the middle of the plate", async () => {
		const label = await paint({ kind: "label", text: "HHHH", ...FULL });
		const letters = lettersIn(label);
		expect(letters).toBeDefined();
		const { left, right, top, bottom } = letters ?? { left: 0, right: 0, top: 0, bottom: 0 };
		expect(Math.abs(left - (label.width - 1 - right))).toBeLessThanOrEqual(2);
		expect(Math.abs(top - (label.height - 1 - bottom))).toBeLessThanOrEqual(2);
	});

	test.each([LONG_NAME, LONG_ARABIC_NAME, "🎉".repeat(60)])(
		"of %j stay within four fifths of the place",
		async (text) => {
			for (const place of [HALF, INSET]) {
				const label = await paint({ kind: "label", text, ...place });
				expect(label.width).toBeLessThanOrEqual(place.width * 0.8 + 2);
				expect(label.width).toBeGreaterThan(place.width * 0.6);
			}
		},
	);

	test("end with their ellipsis on the side where the name ends", async () => {
		/** How high the outermost letters reach: dots are low. */
		const edges = (label: Painted) => {
			const letters = lettersIn(label) ?? { left: 0, right: 0 };
			const dots = Math.round(label.height * 0.25);
			return {
				left: heightOf(lettersIn(label, { left: letters.left, right: letters.left + dots })),
				right: heightOf(lettersIn(label, { left: letters.right - dots, right: letters.right + 1 })),
			};
		};
		const latin = edges(await paint({ kind: "label", text: LONG_NAME, ...FULL, width: 400 }));
		expect(latin.right).toBeLessThan(latin.left / 2);
		const arabic = edges(await paint({ kind: "label", text: LONG_ARABIC_NAME, ...FULL, width: 400 }));
		expect(arabic.left).toBeLessThan(arabic.right / 2);
	});

	test("are left out for a name of which nothing would be seen", async () => {
		expect(await browser.run(MODULE, "paint", [{ kind: "label", text: " \u200b\n", ...FULL }])).toBeNull();
	});
});

describe("cards and backgrounds", () => {
	test.each([
		{ kind: "card", text: "Ada Lovelace", note: "Will be right back", ...HALF },
		{ kind: "card", text: "Ada Lovelace", note: "Will be right back", ...INSET },
		{ kind: "card", text: LONG_NAME, note: LONG_NAME, ...UPRIGHT },
		{ kind: "card", text: "", note: "Will be right back", ...FULL },
		{ kind: "background", text: "Starting soon", note: "", ...FULL },
		{ kind: "background", text: LONG_NAME, note: LONG_NAME, ...UPRIGHT },
	] as const)(
		"$kind of $width x $height for $text is opaque, with its text inside and in the middle",
		async (request) => {
			const painted = await paint(request);
			expect([painted.width, painted.height]).toEqual([request.width, request.height]);
			expect(painted.pixels.every((value, at) => at % 4 !== 3 || value === 255)).toBe(true);
			const letters = lettersIn(painted);
			expect(letters).toBeDefined();
			const { left, right, top, bottom } = letters ?? { left: 0, right: 0, top: 0, bottom: 0 };
			expect(left).toBeGreaterThan(request.width * 0.05);
			expect(Math.abs(left + right + 1 - request.width)).toBeLessThanOrEqual(8);
			expect(top).toBeGreaterThan(request.height * 0.1);
			expect(bottom).toBeLessThan(request.height * 0.9);
		},
	);

	test("have no coloured bands behind the text", async () => {
		const { width, height, pixels } = await paint({ kind: "background", text: "", ...FULL });
		const chroma = new Set<string>();
		for (let y = 0; y < height; y += 2) {
			for (let x = 0; x < width; x += 2) {
				// As many as a chroma sample covers.
				const mean = (channel: number) =>
					[0, 1, width, width + 1].reduce((sum, each) => sum + (pixels[(y * width + x + each) * 4 + channel] ?? 0), 0) /
					4;
				chroma.add(`${chromaUOf(mean(0), mean(1), mean(2))} ${chromaVOf(mean(0), mean(1), mean(2))}`);
			}
		}
		expect([...chroma]).toHaveLength(1);
	});

	test("are painted once, and again after the sixteen latest or a close", async () => {
		const few = Array.from({ length: 16 }, (_, index): PaintRequest => ({ kind: "card", text: `${index}`, ...INSET }));
		expect(await browser.run(MODULE, "paintTwice", [few])).toEqual({ first: 16, second: 0, afterClose: true });
		const many = Array.from({ length: 17 }, (_, index): PaintRequest => ({ kind: "card", text: `${index}`, ...INSET }));
		expect(await browser.run(MODULE, "paintTwice", [many])).toEqual({ first: 17, second: 17, afterClose: true });
	});
});
