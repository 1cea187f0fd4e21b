/** Peak signal-to-noise ratio of two arrays of 8-bit samples, in dB: above 40 hardly to be told apart, `Infinity` when they are the same. */
export function psnr(a: Uint8Array, b: Uint8Array): number {
	if (a.length !== b.length || a.length === 0) {
		throw new Error(`psnr: expected samples of one length, got ${a.length} and ${b.length}`);
	}
	let sum = 0;
	for (const [at, sample] of a.entries()) {
		sum += (sample - (b[at] ?? 0)) ** 2;
	}
	return 10 * Math.log10(255 ** 2 / (sum / a.length));
}
