import type { Plane } from "./picture.ts";

const WINDOW = 8;
const STEP = 8;
/** The constants of Wang et al. 2004 for 8-bit samples: (0.01 · 255)² and (0.03 · 255)². */
const C1 = 6.5025;
const C2 = 58.5225;

/**
 * Structural similarity of two planes of one size: 1 is the same picture, around 0 an unrelated one. Mean over 8×8 windows side by side
 * (Wang et al. 2004, box window).
 */
export function ssim(a: Plane, b: Plane): number {
	if (a.width !== b.width || a.height !== b.height) {
		throw new Error(`ssim: expected planes of one size, got ${a.width}x${a.height} and ${b.width}x${b.height}`);
	}
	let sum = 0;
	let windows = 0;
	for (let y = 0; y + WINDOW <= a.height; y += STEP) {
		for (let x = 0; x + WINDOW <= a.width; x += STEP) {
			sum += windowSsim(a, b, x, y);
			windows += 1;
		}
	}
	return sum / windows;
}

function windowSsim(a: Plane, b: Plane, x: number, y: number): number {
	let sumA = 0;
	let sumB = 0;
	let sumAa = 0;
	let sumBb = 0;
	let sumAb = 0;
	for (let row = y; row < y + WINDOW; row++) {
		for (let at = row * a.width + x; at < row * a.width + x + WINDOW; at++) {
			const sampleA = a.samples[at] ?? 0;
			const sampleB = b.samples[at] ?? 0;
			sumA += sampleA;
			sumB += sampleB;
			sumAa += sampleA * sampleA;
			sumBb += sampleB * sampleB;
			sumAb += sampleA * sampleB;
		}
	}
	const count = WINDOW * WINDOW;
	const meanA = sumA / count;
	const meanB = sumB / count;
	const varianceA = sumAa / count - meanA * meanA;
	const varianceB = sumBb / count - meanB * meanB;
	const covariance = sumAb / count - meanA * meanB;
	return (
		((2 * meanA * meanB + C1) * (2 * covariance + C2)) /
		((meanA * meanA + meanB * meanB + C1) * (varianceA + varianceB + C2))
	);
}
