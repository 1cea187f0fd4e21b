/** Cutting away more of a camera's picture than this hides what the person meant to show; then it gets bars. 4:3 in 16:9 loses a quarter. */
const MOST_CUT = 0.3;
/** Below this bars or cuts are less than a pixel or two. */
const SAME_ASPECT = 0.003;

export interface Size {
	readonly width: number;
	readonly height: number;
}

export interface Area extends Size {
	readonly x: number;
	readonly y: number;
}

export interface PictureFit {
	/** What is seen of the source. */
	readonly from: Area;
	/** Where in the target; the rest of it is black. */
	readonly to: Area;
}

/**
 * How a captured picture fills one of another shape: cut where that takes little away and may be done, with black bars where not. All edges
 * are even, as 4:2:0 wants them.
 */
export function fitPicture(source: Size, target: Size, mayCut: boolean): PictureFit {
	const whole = { x: 0, y: 0, ...pick(source) };
	const all = { x: 0, y: 0, ...pick(target) };
	const ratio = source.width / source.height / (target.width / target.height);
	if (Math.abs(ratio - 1) < SAME_ASPECT) {
		return { from: whole, to: all };
	}
	// Of a source that is wider than the target something is left at the sides, or of the target above and below.
	const share = Math.min(ratio, 1 / ratio);
	const isWider = ratio > 1;
	if (mayCut && 1 - share <= MOST_CUT) {
		return { from: centred(source, isWider ? { width: share, height: 1 } : { width: 1, height: share }), to: all };
	}
	return { from: whole, to: centred(target, isWider ? { width: 1, height: share } : { width: share, height: 1 }) };
}

/** The middle of an area, so much of its width and height. */
function centred({ width, height }: Size, share: Size): Area {
	const inner = { width: even(width * share.width), height: even(height * share.height) };
	return { x: even((width - inner.width) / 2), y: even((height - inner.height) / 2), ...inner };
}

function even(value: number): number {
	return Math.round(value / 2) * 2;
}

function pick({ width, height }: Size): Size {
	return { width, height };
}
