/**
 * The loops that touch every sample of a picture, in WebAssembly SIMD. AssemblyScript: TypeScript that compiles to it; `usize` is an address in the memory
 * that the page gives. Nothing here allocates, and every address is the caller's to vouch for (kernels.ts).
 */
export { blendPlane, maskPlane } from "./blend";
export { convertColours } from "./colours";
export { copyPlane, splitPairs } from "./planes";
export { scalePlane } from "./scale";
