/** One plane inside a buffer. Offset and stride are multiples of four, so that four samples can be read as one word. */
export interface PlanePosition {
	readonly offset: number;
	readonly stride: number;
}

/** An I420 picture in memory: luma, then the two chroma planes at half the size. */
export interface PictureBuffer {
	readonly width: number;
	readonly height: number;
	readonly bytes: Uint8Array<ArrayBuffer>;
	/** The same memory, four samples a word. */
	readonly words: Uint32Array<ArrayBuffer>;
	readonly planes: readonly [PlanePosition, PlanePosition, PlanePosition];
}

/** Bytes between rows start at a word. */
const STRIDE_ALIGNMENT = 8;

/**
 * Lays a picture out in memory of its own, or in `reuse` when that is large enough.
 *
 * A spare row follows each plane: `copyTo` counts a plane as whole rows, so that the right half of a picture reaches past the plane's end
 * and would otherwise be refused as overlapping the next plane.
 */
export function pictureBuffer(width: number, height: number, reuse?: PictureBuffer): PictureBuffer {
	const lumaStride = alignUp(width);
	const chromaStride = alignUp(Math.ceil(width / 2));
	const lumaBytes = lumaStride * (height + 1);
	const chromaBytes = chromaStride * (Math.ceil(height / 2) + 1);
	const size = lumaBytes + 2 * chromaBytes;
	const memory =
		reuse !== undefined && reuse.bytes.buffer.byteLength >= size ? reuse.bytes.buffer : new ArrayBuffer(size);
	return {
		width,
		height,
		bytes: new Uint8Array(memory, 0, size),
		words: new Uint32Array(memory, 0, size >> 2),
		planes: [
			{ offset: 0, stride: lumaStride },
			{ offset: lumaBytes, stride: chromaStride },
			{ offset: lumaBytes + chromaBytes, stride: chromaStride },
		],
	};
}

function alignUp(bytes: number): number {
	return Math.ceil(bytes / STRIDE_ALIGNMENT) * STRIDE_ALIGNMENT;
}
