/** Bytes that no two neighbours of are alike for long, the same each time. */
export function noise(length: number): Uint8Array {
	let state = length;
	return Uint8Array.from({ length }, () => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
		return state >>> 24;
	});
}
