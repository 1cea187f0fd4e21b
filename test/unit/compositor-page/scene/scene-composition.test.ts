import { describe, expect, test } from "vitest";
import type { Graphic } from "../../../../compositor-page/graphics/graphic.ts";
import { composeScene, type SceneGraphics } from "../../../../compositor-page/program/scene-composition.ts";
import { LAYOUT_NAMES, type LayoutName } from "../../../../media/layout.ts";
import type { Scene } from "../../../../worker/protocol/control-messages.ts";
import { FakeFrame } from "../../playout/person/fake-frame.ts";

/** Graphics without a canvas; `asked` says what was wanted. */
function fakeGraphics(): SceneGraphics & { readonly asked: string[] } {
	const asked: string[] = [];
	const graphic = (what: string, width: number, height: number): Graphic => {
		asked.push(what);
		return { width, height, canvas: { what } as unknown as OffscreenCanvas };
	};
	return {
		asked,
		label: (name) => (name === "" ? undefined : graphic(`label ${name}`, 100, 30)),
		card: (name, note, place) => graphic(`card ${name}: ${note}`, place.width, place.height),
		background: (size, text = {}) => graphic(`background ${text.title ?? ""}`, size.width, size.height),
	};
}

function scene(layout: LayoutName, people: Scene["people"] = [ADA, BO]): Scene {
	return {
		layout,
		people,
		width: 1280,
		height: 720,
		frameRate: 30,
		videoBitrateBps: 3_000_000,
		audioBitrateBps: 128_000,
		keyFrameIntervalS: 2,
	};
}

const ADA = { id: "host", name: "Ada", gain: 1, expected: true } as const;
const BO = { id: "guest", name: "Bo", gain: 1, expected: true } as const;
const host = { id: "host", frame: new FakeFrame().asVideoFrame } as const;
const guest = { id: "guest", frame: new FakeFrame().asVideoFrame } as const;

describe("composeScene", () => {
	test("announces the start while nobody was seen yet", () => {
		const graphics = fakeGraphics();
		const input = composeScene(scene("landscape"), [], graphics);
		expect(input).toMatchObject({ width: 1280, height: 720, places: [] });
		expect(graphics.asked).toEqual(["background Starting soon"]);
	});

	test("gives the whole picture to whoever is alone on air, in any layout", () => {
		for (const layout of LAYOUT_NAMES) {
			for (const person of [host, guest]) {
				const { places } = composeScene(scene(layout), [person], fakeGraphics());
				expect(places).toHaveLength(1);
				expect(places[0]).toMatchObject({
					rect: { x: 0, y: 0, width: 1280, height: 720 },
					picture: { kind: "frame", frame: person.frame },
				});
			}
		}
	});

	test("places people in the scene's order, whoever came on air first", () => {
		const ordered = composeScene(scene("landscape"), [guest, host], fakeGraphics()).places;
		expect(ordered.map(({ picture }) => picture)).toEqual([
			{ kind: "frame", frame: host.frame },
			{ kind: "frame", frame: guest.frame },
		]);
		expect(ordered.map(({ rect }) => rect.x)).toEqual([0, 640]);
		const swapped = composeScene(scene("landscape", [BO, ADA]), [host, guest], fakeGraphics()).places;
		expect(swapped.map(({ picture }) => picture)).toEqual([
			{ kind: "frame", frame: guest.frame },
			{ kind: "frame", frame: host.frame },
		]);
	});

	test("puts the second person on top with a border in pip, and leaves them out in solo", () => {
		const [large, inset] = composeScene(scene("pip"), [host, guest], fakeGraphics()).places;
		expect(large?.border).toBeUndefined();
		expect(inset?.border?.widthPx).toBeGreaterThan(0);
		expect(inset?.z).toBeGreaterThan(large?.z ?? 0);
		expect(composeScene(scene("solo"), [host, guest], fakeGraphics()).places).toHaveLength(1);
	});

	test("keeps the place of somebody whose picture is gone, with a card of its size and no label", () => {
		const graphics = fakeGraphics();
		const [left, right] = composeScene(scene("landscape"), [host, { id: "guest", frame: undefined }], graphics).places;
		expect(left?.picture.kind).toBe("frame");
		expect(right).toMatchObject({
			rect: { x: 640, y: 0, width: 640, height: 720 },
			picture: { kind: "card", card: { width: 640, height: 720 } },
		});
		expect(right?.label).toBeUndefined();
		expect(graphics.asked).toEqual(["label Ada", "card Bo: Will be right back", "background "]);
	});

	test("labels each picture inside its place, on even pixels, and nobody without a name", () => {
		const named = composeScene(scene("landscape", [ADA, { ...BO, name: "" }]), [host, guest], fakeGraphics()).places;
		const label = named[0]?.label;
		expect(label?.graphic).toMatchObject({ width: 100, height: 30 });
		expect([(label?.x ?? 1) % 2, (label?.y ?? 1) % 2]).toEqual([0, 0]);
		expect((label?.x ?? 0) + 100).toBeLessThanOrEqual(640);
		expect((label?.y ?? 0) + 30).toBeLessThanOrEqual(720);
		expect(named[1]?.label).toBeUndefined();
	});

	test("draws no label where names are not shown, and the new name where it was changed", () => {
		const graphics = fakeGraphics();
		const unlabelled = { ...scene("landscape"), labels: false };
		const { places } = composeScene(unlabelled, [host, { id: "guest", frame: undefined }], graphics);
		expect(places.map(({ label }) => label)).toEqual([undefined, undefined]);
		expect(graphics.asked).toEqual(["card Bo: Will be right back", "background "]);
		const renamed = fakeGraphics();
		composeScene({ ...scene("solo", [{ ...ADA, name: "Ada L." }]), labels: true }, [host], renamed);
		expect(renamed.asked).toEqual(["label Ada L.", "background "]);
	});

	test("gives the place of a guest who has left for good to the others, unless there are none", () => {
		const left = { ...BO, expected: false };
		const gone = { id: "guest", frame: undefined } as const;
		const third = { id: "guest-2", name: "Cy", gain: 1, expected: true } as const;
		const cy = { id: "guest-2", frame: new FakeFrame().asVideoFrame } as const;
		const among = composeScene(scene("grid", [ADA, left, third]), [host, gone, cy], fakeGraphics()).places;
		expect(among.map(({ rect }) => rect.width)).toEqual([640, 640]);
		const first = composeScene(scene("solo", [left, ADA]), [gone, host], fakeGraphics()).places;
		expect(first.map(({ picture }) => picture)).toEqual([{ kind: "frame", frame: host.frame }]);
		const awaited = composeScene(scene("grid", [ADA, BO, third]), [host, gone, cy], fakeGraphics()).places;
		expect(awaited).toHaveLength(3);
		const alone = composeScene(scene("grid", [left]), [gone], fakeGraphics()).places;
		expect(alone).toHaveLength(1);
	});

	test("has no place for somebody on air who is no longer in the scene", () => {
		const { places } = composeScene(scene("landscape", [ADA]), [host, guest], fakeGraphics());
		expect(places).toHaveLength(1);
		expect(places[0]?.picture).toEqual({ kind: "frame", frame: host.frame });
	});
});
