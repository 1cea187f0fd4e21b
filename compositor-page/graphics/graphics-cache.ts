import { paintBackground, paintCard } from "./card.ts";
import type { Graphic } from "./graphic.ts";
import { paintLabel } from "./label.ts";
import { RecentlyUsed } from "./recently-used.ts";
import { isVisible, oneLine } from "./text.ts";

interface Size {
	readonly width: number;
	readonly height: number;
}

/** Graphics kept: some layouts' worth of labels and cards. One full card of 1080p takes 8 MB, so that this bounds memory. */
const MAX_GRAPHICS = 16;

/** Paints each label, card and background once for its text and size, and hands out the same graphic for the same request. */
export class GraphicsCache {
	readonly #graphics = new RecentlyUsed<string, Graphic>(MAX_GRAPHICS);

	/** The plate with a person's name for a place of that size; `undefined` for a name of which nothing would be seen. */
	label(name: string, place: Size): Graphic | undefined {
		const line = oneLine(name);
		return !isVisible(line) ? undefined : this.#get(["label", line], place, () => paintLabel(line, place));
	}

	/** What fills a place of that size in a person's stead. */
	card(name: string, note: string, place: Size): Graphic {
		const lines = [oneLine(name), oneLine(note)] as const;
		return this.#get(["card", ...lines], place, () => paintCard(lines[0], lines[1], place));
	}

	/** What shows where nobody is. */
	background(size: Size, text: { readonly title?: string; readonly note?: string } = {}): Graphic {
		const lines = [oneLine(text.title ?? ""), oneLine(text.note ?? "")] as const;
		return this.#get(["background", ...lines], size, () => paintBackground(lines[0], lines[1], size));
	}

	close(): void {
		this.#graphics.clear();
	}

	#get(what: readonly string[], size: Size, paint: () => Graphic): Graphic {
		return this.#graphics.get(JSON.stringify([...what, size.width, size.height]), paint);
	}
}
