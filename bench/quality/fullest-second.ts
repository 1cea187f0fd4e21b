/** A frame as it leaves: when, in seconds, and how large. */
export interface TimedFrame {
	readonly atS: number;
	readonly bytes: number;
}

/** Bits in the fullest window of one second. */
export function fullestSecondBits(frames: readonly TimedFrame[]): number {
	let fullest = 0;
	let from = 0;
	let bytes = 0;
	for (const frame of frames) {
		bytes += frame.bytes;
		while ((frames[from]?.atS ?? frame.atS) <= frame.atS - 1) {
			bytes -= frames[from]?.bytes ?? 0;
			from += 1;
		}
		fullest = Math.max(fullest, bytes * 8);
	}
	return fullest;
}
