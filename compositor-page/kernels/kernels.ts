import bytes from "./assembly/index.ts?assemblyscript";

/** The loops over samples, on addresses in one memory; what each does stands beside it in assembly/. */
export interface Kernels {
	copyPlane(
		source: number,
		sourceStride: number,
		output: number,
		outputStride: number,
		width: number,
		height: number,
	): void;
	splitPairs(
		source: number,
		sourceStride: number,
		first: number,
		second: number,
		outputStride: number,
		pairs: number,
		height: number,
	): void;
	blendPlane(
		colour: number,
		through: number,
		graphicStride: number,
		output: number,
		outputStride: number,
		width: number,
		height: number,
	): void;
	maskPlane(
		source: number,
		sourceStride: number,
		mask: number,
		maskStride: number,
		output: number,
		outputStride: number,
		width: number,
		height: number,
	): void;
	convertColours(
		luma: number,
		lumaStride: number,
		chromaU: number,
		chromaV: number,
		chromaStride: number,
		width: number,
		height: number,
		weights: number,
		lumaZero: number,
	): void;
	scalePlane(
		source: number,
		sourceStride: number,
		sourceWidth: number,
		output: number,
		outputStride: number,
		width: number,
		height: number,
		downCount: number,
		downStart: number,
		downWeights: number,
		acrossCount: number,
		acrossStart: number,
		acrossWeights: number,
		rows: number,
		columns: number,
		sums: number,
	): void;
}

let compiled: WebAssembly.Module | undefined;

/** The kernels over `memory`, whose growth they follow. Compiled once, in about a millisecond. Throws where there is no WebAssembly SIMD. */
export function kernelsOver(memory: WebAssembly.Memory): Kernels {
	compiled ??= new WebAssembly.Module(bytes);
	const instance = new WebAssembly.Instance(compiled, { env: { memory } });
	return instance.exports as unknown as Kernels;
}
