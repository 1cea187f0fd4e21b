/** One plane inside a picture's bytes. */
export interface PlanePosition {
	readonly offset: number;
	readonly stride: number;
}

export type PlanePositions = readonly [PlanePosition, PlanePosition, PlanePosition];

/** An I420 picture in memory: luma, then the two chroma planes at half the size. */
export interface PictureBuffer {
	readonly width: number;
	readonly height: number;
	readonly bytes: Uint8Array<ArrayBuffer>;
	readonly planes: PlanePositions;
}

export interface PictureLayout {
	readonly planes: PlanePositions;
	readonly bytes: number;
}

/** Rows begin at a register. */
const STRIDE_ALIGNMENT = 16;

/**
 * Where the planes of a picture lie.
 *
 * A spare row follows each plane: `copyTo` counts a plane as whole rows, so that the right half of a picture reaches past the plane's end
 * and would otherwise be refused as overlapping the next plane.
 */
export function pictureLayout(width: number, height: number): PictureLayout {
	const lumaStride = alignUp(width);
	const chromaStride = alignUp(Math.ceil(width / 2));
	const lumaBytes = lumaStride * (height + 1);
	const chromaBytes = chromaStride * (Math.ceil(height / 2) + 1);
	return {
		bytes: lumaBytes + 2 * chromaBytes,
		planes: [
			{ offset: 0, stride: lumaStride },
			{ offset: lumaBytes, stride: chromaStride },
			{ offset: lumaBytes + chromaBytes, stride: chromaStride },
		],
	};
}

/** A picture in memory of its own. */
export function pictureBuffer(width: number, height: number): PictureBuffer {
	const { planes, bytes } = pictureLayout(width, height);
	return { width, height, planes, bytes: new Uint8Array(bytes) };
}

function alignUp(bytes: number): number {
	return Math.ceil(bytes / STRIDE_ALIGNMENT) * STRIDE_ALIGNMENT;
}
