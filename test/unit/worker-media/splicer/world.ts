import { wrapMs } from "../../../../media/timestamp.ts";
import { Fanout } from "../../../../worker/router/fanout.ts";
import type { SourceId } from "../../../../worker/router/splicer/choose-source.ts";
import { Splicer } from "../../../../worker/router/splicer/splicer.ts";
import type { StreamTag } from "../../../../worker/router/stream-tag.ts";
import { TimeRebaser } from "../../../../worker/router/time-rebaser.ts";
import { RecordingSink } from "../recording-sink.ts";
import { type Encoder, encoder, markOf, picture, type SoundRate, sound } from "./tags.ts";

const AAC_SAMPLES = 1_024;
const MS_PER_SECOND = 1_000;
const COMPOSITE_STALLED_AFTER_MS = 1_200;
/** The host's picture has left the composite this long after the last one came. */
const HOST_ON_SHOW_MS = 2_000;
/** The composite says anew what it shows when that has moved by more. */
const SHOWS_JUMP_MS = 60;

export interface HostShape {
	readonly frameRate: number;
	/** Two B-frames between references. */
	readonly reorders: boolean;
	readonly soundRate: SoundRate | undefined;
	readonly groupMs: number;
	/** First timestamp on the wire. */
	readonly startMs: number;
	readonly jitterMs: number;
	/** 1 for the clock of the world. */
	readonly pace?: number;
}

export interface CompositeShape {
	/** "host's": a picture for each of the host's, so that nothing hangs on how two frame rates fall together. */
	readonly frameRate: number | "host's";
	readonly soundRate: SoundRate | undefined;
	readonly groupMs: number;
	readonly lagMs: number;
}

export const PLAIN_HOST: HostShape = {
	frameRate: 25,
	reorders: false,
	soundRate: 44_100,
	groupMs: 2_000,
	startMs: 0,
	jitterMs: 0,
};
export const PLAIN_COMPOSITE: CompositeShape = { frameRate: 25, soundRate: 48_000, groupMs: 2_000, lagMs: 120 };

/** A source's tag as it went into the splicer. */
export interface SentTag extends StreamTag {
	readonly id: SourceId;
	/** Of a picture: which of the host's it is or shows; -1 for none. */
	readonly content: number;
	readonly atMs: number;
}

/** A tag of the program. */
export interface OutTag extends StreamTag {
	readonly atMs: number;
	/** What it was; `undefined` for what the program made by itself. */
	readonly sent: SentTag | undefined;
	/** The program's source once it was out. */
	readonly source: Splicer["source"];
}

/** mulberry32 */
export function randomFrom(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}

interface OnItsWay {
	readonly atMs: number;
	readonly arrive: () => void;
}

/** A line that delivers in order, late by jitter, and holds everything back, or loses it, while it is stalled. */
class Line {
	readonly #jitter: () => number;
	#queue: OnItsWay[] = [];
	#lastAtMs = 0;
	#stall: { readonly untilMs: number; readonly loses: boolean } | undefined;

	constructor(jitter: () => number) {
		this.#jitter = jitter;
	}

	stall(untilMs: number, loses: boolean): void {
		this.#stall = { untilMs, loses };
	}

	send(nowMs: number, arrive: () => void): void {
		const stall = this.#stall !== undefined && nowMs < this.#stall.untilMs ? this.#stall : undefined;
		if (stall?.loses) {
			return;
		}
		const atMs = Math.max(this.#lastAtMs, stall?.untilMs ?? 0, Math.round(nowMs + this.#jitter()));
		this.#lastAtMs = atMs;
		this.#queue.push({ atMs, arrive });
	}

	deliver(nowMs: number): void {
		while (this.#queue.length > 0 && (this.#queue[0]?.atMs ?? 0) <= nowMs) {
			this.#queue.shift()?.arrive();
		}
	}

	cut(): void {
		this.#queue = [];
		this.#stall = undefined;
	}
}

/** A host and a composite of it as they reach the Router, its splicer between them, and one subscriber of the program. */
export class World {
	readonly splicer: Splicer;
	readonly fanout = new Fanout();
	readonly sink = new RecordingSink();
	readonly out: OutTag[] = [];
	readonly sent: SentTag[] = [];
	readonly host: HostPublisher;
	readonly composite: CompositePublisher;
	nowMs = 0;
	keyFrameRequests = 0;
	/** Off: only figures are kept, for long worlds. */
	onOut: (tag: OutTag) => void = (tag) => void this.out.push(tag);

	constructor(
		options: {
			prefers?: SourceId;
			host?: Partial<HostShape>;
			composite?: Partial<CompositeShape>;
			seed?: number;
			subscribes?: boolean;
		} = {},
	) {
		const random = randomFrom(options.seed ?? 1);
		this.splicer = new Splicer(options.prefers ?? "host", 0);
		this.host = new HostPublisher(this, { ...PLAIN_HOST, ...options.host }, random);
		this.composite = new CompositePublisher(this, { ...PLAIN_COMPOSITE, ...options.composite });
		if (options.subscribes !== false) {
			this.fanout.subscribe(this.sink, { id: "s", acknowledges: false, withGroup: true }, 0);
		}
	}

	run(forMs: number): void {
		for (const endMs = this.nowMs + forMs; this.nowMs < endMs; this.nowMs++) {
			this.host.step(this.nowMs);
			this.composite.step(this.nowMs);
			if (this.nowMs % 50 === 0) {
				this.take(this.splicer.tick(this.nowMs));
			}
		}
	}

	runUntil(holds: () => boolean, withinMs: number): boolean {
		for (const endMs = this.nowMs + withinMs; this.nowMs < endMs && !holds(); ) {
			this.run(1);
		}
		return holds();
	}

	push(id: SourceId, make: (mark: number) => StreamTag, content = -1): void {
		const mark = this.sent.length;
		const tag = make(mark);
		this.sent.push({ ...tag, id, content, atMs: this.nowMs });
		this.take(this.splicer.push(id, tag, this.nowMs));
	}

	take(tags: readonly StreamTag[]): void {
		for (const tag of tags) {
			this.fanout.push(tag, this.nowMs);
			const mark = markOf(tag.message);
			const sent = mark === -1 ? undefined : this.sent[mark];
			this.onOut({ ...tag, atMs: this.nowMs, sent, source: this.splicer.source });
		}
		const request = this.splicer.takeKeyFrameRequest();
		if (request !== undefined) {
			this.keyFrameRequests++;
			this.composite.askForKeyFrame(request.afterHostMs);
		}
	}

	get video(): OutTag[] {
		return this.out.filter(({ track }) => track === "video");
	}

	get audio(): OutTag[] {
		return this.out.filter(({ track }) => track === "audio");
	}
}

/** What an encoder sends, at the time of a clock of its own that may jump, over a line to the Router's time line. */
export class HostPublisher {
	readonly shape: HostShape;
	readonly #world: World;
	readonly #encoder: Encoder;
	readonly #line: Line;
	readonly #time = new TimeRebaser();
	isOn = false;
	/** Sends sound, pictures. */
	hasSound = true;
	hasPictures = true;
	/** Its pictures reach the compositor by another leg, and nothing reaches the Router. */
	isAsleep = false;
	/** The frame of sound after the last that was sent. */
	#unsentSound = 0;
	/** The frame its groups are counted from. */
	#groupsFrom = 0;
	#startedMs = 0;
	#wireMs = 0;
	#frame = 0;
	#soundFrame = 0;
	#content = 0;
	#keyFrames = 0;
	/** Pictures as they came, for the compositor; shown in this order. */
	readonly shown: {
		readonly presentMs: number;
		readonly timeMs: number;
		readonly content: number;
		readonly atMs: number;
		readonly epoch: number;
	}[] = [];

	constructor(world: World, shape: HostShape, random: () => number) {
		this.shape = shape;
		this.#world = world;
		this.#encoder = encoder("x264-main", shape.soundRate);
		this.#line = new Line(() => random() * shape.jitterMs);
	}

	/** Another connection, whose time starts there. */
	connect(startMs = this.shape.startMs): void {
		this.#time.restart();
		this.#line.cut();
		this.isOn = true;
		this.#startedMs = this.#world.nowMs;
		this.#wireMs = startMs;
		this.#content += this.#frame + 10;
		this.#frame = 0;
		this.#groupsFrom = 0;
		this.#unsentSound = 0;
		this.isAsleep = false;
		this.#soundFrame = 0;
	}

	/** The connection is closed. */
	disconnect(): void {
		this.vanish();
		this.#world.take(this.#world.splicer.gone("host", this.#world.nowMs));
	}

	/** Nothing more is sent. */
	vanish(): void {
		this.isOn = false;
		this.#line.cut();
	}

	stall(forMs: number, loses = false): void {
		this.#line.stall(this.#world.nowMs + forMs, loses);
	}

	fallAsleep(): void {
		this.isAsleep = this.isOn;
	}

	/** Sends again, beginning with a key frame, and with the frame of sound that is just full. */
	wake(): void {
		this.isAsleep = false;
		this.#soundFrame = Math.max(this.#unsentSound, this.#soundFrame - 1);
		this.#groupsFrom = this.#frame;
	}

	/** Its clock is put forward, or back. */
	jump(byMs: number): void {
		this.#wireMs += byMs;
	}

	step(nowMs: number): void {
		if (this.isOn) {
			const elapsedMs = (nowMs - this.#startedMs) * (this.shape.pace ?? 1);
			this.#pictures(elapsedMs);
			this.#sound(elapsedMs);
		}
		this.#line.deliver(nowMs);
	}

	#pictures(elapsedMs: number): void {
		const { frameRate, groupMs, reorders } = this.shape;
		const frameMs = MS_PER_SECOND / frameRate;
		// A group is a key frame and whole threes, so that each is closed.
		const groupFrames = 1 + 3 * Math.max(1, Math.round(groupMs / frameMs / 3));
		for (; this.#frame * frameMs <= elapsedMs; this.#frame++) {
			const inGroup = (this.#frame - this.#groupsFrom) % groupFrames;
			const display = this.#frame - inGroup + (reorders ? displayOf(inGroup) : inGroup);
			const dtsMs = Math.round(this.#frame * frameMs);
			const compositionMs = reorders ? Math.round((display + 1) * frameMs) - dtsMs : 0;
			const keyFrame = inGroup === 0;
			this.#keyFrames += keyFrame ? 1 : 0;
			const idrPicId = (this.#keyFrames % 2) as 0 | 1;
			if (this.hasPictures) {
				this.#sendPicture({ dtsMs, compositionMs, keyFrame, idrPicId, content: this.#content + display });
			}
		}
	}

	#sendPicture(of: {
		dtsMs: number;
		compositionMs: number;
		keyFrame: boolean;
		idrPicId: 0 | 1;
		content: number;
	}): void {
		const wireMs = wrapMs(this.#wireMs + of.dtsMs);
		const world = this.#world;
		if (this.isAsleep) {
			const timeMs = this.#time.timeOf(wireMs) ?? 0;
			this.#show({ timeMs, presentMs: timeMs, content: of.content, epoch: this.#time.epoch });
			return;
		}
		this.#line.send(world.nowMs, () => {
			const timeMs = this.#time.map("video", wireMs, world.nowMs);
			if (timeMs === undefined) {
				return;
			}
			const { epoch } = this.#time;
			const { keyFrame, compositionMs, idrPicId, content } = of;
			const shape = { timeMs, epoch, keyFrame, compositionMs, idrPicId, encoder: this.#encoder };
			const presentMs = timeMs + compositionMs;
			this.#show({ presentMs, timeMs, content, epoch });
			world.push("host", (mark) => picture({ ...shape, mark }), content);
		});
	}

	#show(picture: { presentMs: number; timeMs: number; content: number; epoch: number }): void {
		const at = this.shown.findLastIndex((shown) => shown.presentMs < picture.presentMs) + 1;
		this.shown.splice(at, 0, { ...picture, atMs: this.#world.nowMs });
		if (this.shown.length > 200) {
			this.shown.splice(0, 50);
		}
	}

	#sound(elapsedMs: number): void {
		const { soundRate } = this.shape;
		if (soundRate === undefined) {
			return;
		}
		const frameMs = (AAC_SAMPLES * MS_PER_SECOND) / soundRate;
		for (; this.#soundFrame * frameMs <= elapsedMs; this.#soundFrame++) {
			if (!this.hasSound || this.isAsleep) {
				continue;
			}
			const wireMs = wrapMs(this.#wireMs + Math.round(this.#soundFrame * frameMs));
			this.#unsentSound = this.#soundFrame + 1;
			const world = this.#world;
			this.#line.send(world.nowMs, () => {
				const timeMs = this.#time.map("audio", wireMs, world.nowMs);
				if (timeMs !== undefined) {
					const shape = { timeMs, epoch: this.#time.epoch, encoder: this.#encoder };
					world.push("host", (mark) => sound({ ...shape, mark }));
				}
			});
		}
	}
}

/** Which picture is decoded at a place in its group, for a key frame and then P B B, P B B. */
function displayOf(inGroup: number): number {
	if (inGroup === 0) {
		return 0;
	}
	const three = Math.floor((inGroup - 1) / 3);
	return three * 3 + ([3, 1, 2][(inGroup - 1) % 3] ?? 0);
}

/** A compositor that shows the host its lag after it came the quickest way, and makes key frames where it is asked to. */
export class CompositePublisher {
	readonly shape: CompositeShape;
	readonly #world: World;
	readonly #encoder: Encoder;
	#line = new Line(() => 0);
	readonly #time = new TimeRebaser();
	isOn = false;
	/** It gives no key frame on request. */
	isDeaf = false;
	/** It does not say what it shows. */
	isMute = false;
	#startedMs = 0;
	#frame = 0;
	#soundFrame = 0;
	#keyFrameMs = 0;
	#lastShownMs = Number.NEGATIVE_INFINITY;
	#keyFrames = 0;
	#saidMs = 0;
	#asked: { readonly afterHostMs: number | undefined } | undefined;
	/** Quickest way of the host's pictures, for its present epoch. */
	#way: { readonly epoch: number; readonly ms: number } | undefined;
	#diedMs: number | undefined;

	constructor(world: World, shape: CompositeShape) {
		this.shape = shape;
		this.#world = world;
		this.#encoder = encoder("chromium-baseline", shape.soundRate);
	}

	/** A compositor starts, in place of the one there was. */
	start(): void {
		this.#time.restart();
		this.#line.cut();
		this.isOn = true;
		this.#diedMs = undefined;
		this.#startedMs = this.#world.nowMs;
		this.#frame = 0;
		this.#soundFrame = 0;
		this.#keyFrameMs = 0;
		this.#lastShownMs = Number.NEGATIVE_INFINITY;
		this.#asked = undefined;
	}

	/** Frames stop; the Router lets it go after a while, as it does. */
	die(): void {
		this.isOn = false;
		this.#line.cut();
		this.#diedMs = this.#world.nowMs;
	}

	/** Its socket is closed. */
	disconnect(): void {
		this.die();
		this.#diedMs = undefined;
		this.#world.take(this.#world.splicer.gone("composite", this.#world.nowMs));
	}

	stall(forMs: number, loses = false): void {
		this.#line.stall(this.#world.nowMs + forMs, loses);
	}

	askForKeyFrame(afterHostMs: number | undefined): void {
		this.#asked = this.isDeaf ? this.#asked : { afterHostMs };
	}

	step(nowMs: number): void {
		if (this.#diedMs !== undefined && nowMs - this.#diedMs > COMPOSITE_STALLED_AFTER_MS) {
			this.#diedMs = undefined;
			this.#world.take(this.#world.splicer.gone("composite", nowMs));
		}
		if (this.isOn) {
			this.#pictures(nowMs);
			this.#sound(nowMs);
		}
		this.#line.deliver(nowMs);
	}

	#shownHost(nowMs: number) {
		const { shown } = this.#world.host;
		for (const { epoch, atMs, timeMs } of shown.slice(-3)) {
			const ms = atMs - timeMs;
			this.#way = { epoch, ms: this.#way?.epoch === epoch ? Math.min(this.#way.ms, ms) : ms };
		}
		const dueMs = nowMs - (this.#way?.ms ?? 0) - this.shape.lagMs;
		const latest = shown.findLast(({ presentMs }) => presentMs <= dueMs);
		return latest !== undefined && nowMs - latest.atMs < HOST_ON_SHOW_MS + this.shape.lagMs ? latest : undefined;
	}

	#pictures(nowMs: number): void {
		const { frameRate } = this.shape;
		const shown = this.#shownHost(nowMs);
		if (frameRate === "host's") {
			if (this.#frame === 0 || (shown !== undefined && shown.presentMs > this.#lastShownMs)) {
				this.#picture(shown, nowMs - this.#startedMs, nowMs);
			}
			return;
		}
		const frameMs = MS_PER_SECOND / frameRate;
		while (this.#startedMs + this.#frame * frameMs <= nowMs) {
			this.#picture(shown, Math.round(this.#frame * frameMs), nowMs);
		}
	}

	#picture(shown: { presentMs: number; content: number } | undefined, timeMs: number, nowMs: number): void {
		const before = this.#lastShownMs;
		this.#lastShownMs = shown?.presentMs ?? before;
		const isAsked = this.#isAsked(shown?.presentMs);
		const keyFrame = isAsked || timeMs - this.#keyFrameMs >= this.shape.groupMs || this.#frame === 0;
		this.#frame++;
		this.#keyFrameMs = keyFrame ? timeMs : this.#keyFrameMs;
		this.#asked = isAsked ? undefined : this.#asked;
		this.#keyFrames += keyFrame ? 1 : 0;
		const idrPicId = (this.#keyFrames % 2) as 0 | 1;
		const isNew = shown !== undefined && shown.presentMs !== before;
		const relationMs = timeMs - (shown?.presentMs ?? 0);
		const hasJumped = isNew && Math.abs(relationMs - this.#saidMs) > SHOWS_JUMP_MS;
		const says = shown !== undefined && !this.isMute && (keyFrame || hasJumped);
		this.#saidMs = says && isNew ? relationMs : this.#saidMs;
		const shows = says ? { showsHostMs: wrapMs(shown.presentMs) } : {};
		const world = this.#world;
		this.#line.send(nowMs, () => {
			const mapped = this.#time.map("video", timeMs, world.nowMs);
			if (mapped !== undefined) {
				const shape = { timeMs: mapped, epoch: this.#time.epoch, keyFrame, idrPicId, encoder: this.#encoder, ...shows };
				world.push("composite", (mark) => picture({ ...shape, mark }), shown?.content);
			}
		});
	}

	#isAsked(hostMs: number | undefined): boolean {
		const asked = this.#asked;
		if (asked === undefined) {
			return false;
		}
		const afterMs = asked.afterHostMs;
		return afterMs === undefined || hostMs === undefined || wrapMs(hostMs - afterMs - 1) < 2 ** 31;
	}

	#sound(nowMs: number): void {
		const { soundRate } = this.shape;
		if (soundRate === undefined) {
			return;
		}
		const frameMs = (AAC_SAMPLES * MS_PER_SECOND) / soundRate;
		for (; this.#startedMs + this.#soundFrame * frameMs <= nowMs; this.#soundFrame++) {
			const timeMs = Math.round(this.#soundFrame * frameMs);
			const world = this.#world;
			this.#line.send(nowMs, () => {
				const mapped = this.#time.map("audio", timeMs, world.nowMs);
				if (mapped !== undefined) {
					const shape = { timeMs: mapped, epoch: this.#time.epoch, encoder: this.#encoder };
					world.push("composite", (mark) => sound({ ...shape, mark }));
				}
			});
		}
	}
}
