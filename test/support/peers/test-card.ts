import { writeFileSync } from "node:fs";

/** A still picture made for measuring: a circle, and nothing in it that looks the same mirrored, moved or stretched. */
export interface TestCard {
	readonly width: number;
	readonly height: number;
	/** Red, green and blue of the ground's two corners, and of the disc. */
	readonly from: readonly [number, number, number];
	readonly to: readonly [number, number, number];
	readonly disc: readonly [number, number, number];
	/** Side of the ground's squares as a share of the disc's radius. */
	readonly squareShare: number;
}

export const HOST_CARD = { from: [20, 40, 150], to: [60, 150, 210], disc: [250, 220, 40], squareShare: 0.5 } as const;
export const GUEST_CARD = { from: [150, 30, 60], to: [210, 120, 40], disc: [70, 220, 90], squareShare: 0.8 } as const;

/** The disc's diameter as a share of the card's height. It is in the middle, where every layout's crop leaves it in sight. */
export const DISC_SHARE = 0.4;

/** Writes a card as a PPM picture. */
export function writeTestCard(path: string, card: TestCard): void {
	const { width, height } = card;
	const pixels = Buffer.alloc(width * height * 3);
	const radius = (height * DISC_SHARE) / 2;
	for (let y = 0; y < height; y++) {
		for (let x = 0; x < width; x++) {
			const colour = cardColour(card, x + 0.5 - width / 2, y + 0.5 - height / 2, radius);
			pixels.set(colour, (y * width + x) * 3);
		}
	}
	writeFileSync(path, Buffer.concat([Buffer.from(`P6\n${width} ${height}\n255\n`), pixels]));
}

function cardColour(card: TestCard, fromCentreX: number, fromCentreY: number, radius: number): number[] {
	if (Math.hypot(fromCentreX, fromCentreY) <= radius) {
		// A wedge out of the disc tells left from right and up from down.
		const inWedge = fromCentreX > 0 && fromCentreY < 0 && fromCentreX < -fromCentreY;
		return inWedge ? [...card.from] : [...card.disc];
	}
	// Squares whose brightness grows along the diagonal: detail everywhere, and no two alike.
	const cell = radius * card.squareShare;
	const column = Math.floor(fromCentreX / cell);
	const row = Math.floor(fromCentreY / cell);
	const along = Math.min(1, Math.max(0, 0.5 + fromCentreX / (2 * card.width) + fromCentreY / (2 * card.height)));
	const shade = (column + row) % 2 === 0 ? 1 : 0.72;
	return card.from.map((start, index) => Math.round((start + ((card.to[index] ?? 0) - start) * along) * shade));
}
