import { wrapMs } from "../../../media/timestamp.ts";
import type { KeyFrameRequest } from "../../protocol/media-socket.ts";
import type { ProgramSource, RouterProgramStats } from "../../protocol/object-rpc.ts";
import type { StreamTag } from "../stream-tag.ts";
import { chooseSource, type SourceId } from "./choose-source.ts";
import type { HoldPicture } from "./hold-picture.ts";
import { ProgramPlace } from "./program-place.ts";
import { ProgramWriter } from "./program-writer.ts";
import { COMPOSITE_SILENT_AFTER_MS, SILENT_AFTER_MS, SpliceSource } from "./splice-source.ts";

/** Two held pictures a second: a decoder that joins waits half a second at most, and a still costs next to nothing. */
export const HOLD_EVERY_MS = 500;
/** A hand-over that the other source has not come to by then is given up, or done without it. */
export const HAND_OVER_WITHIN_MS = 1_000;
/** While the host is withheld, a composite that is silent for this long is not waited for: it makes a picture every few hundredths of a second. */
const CUT_WAITS_MS = 250;
/** After one was given up the next is tried this much later, and twice as much after each that follows: a cut that fails is seen. */
export const HAND_OVER_AGAIN_AFTER_MS = 2_000;
const MAX_HAND_OVER_AGAIN_AFTER_MS = 32_000;
/** Sound this far behind the picture is not coming: silence takes its place. */
const SOUND_MISSING_AFTER_MS = 1_000;
/** How far silence stays behind the picture, so that sound that comes back finds its place. */
const SILENCE_BEHIND_MS = 500;

/**
 * - `cut`: the host has been cut after presentation time `atMs`; what it sent since is kept until the composite has come to that time.
 * - `drain`: the host's tags from its key frame at presentation time `atMs` on are kept until the composite has come to that time.
 */
interface HandOver {
	readonly kind: "cut" | "drain";
	readonly atMs: number;
	readonly sinceMs: number;
	readonly kept: StreamTag[];
}

/**
 * Makes one program of two sources and, where neither is there, of its last picture. Tags and time come in, the program's tags come out;
 * their times rise strictly on each track, sound and picture of a source stay together, and a switch shows nothing twice.
 *
 * A planned switch cuts both sources at one moment of the host's: see {@link HandOver}. Where a source has died the other one takes over at
 * once, from its last key frame on: what lies before the present is passed by within milliseconds.
 */
export class Splicer {
	readonly #sources: Readonly<Record<SourceId, SpliceSource>> = {
		composite: new SpliceSource(COMPOSITE_SILENT_AFTER_MS),
		host: new SpliceSource(),
	};
	readonly #program = new ProgramWriter();
	readonly #place = new ProgramPlace(this.#sources);
	readonly #hostMayBeginAtMs: number;
	#prefers: SourceId;
	#source: ProgramSource = "none";
	#sinceMs: number;
	#switches = 0;
	#heldMs = 0;
	/** Program time less the source's own. */
	#offsetMs = 0;
	#epoch = 0;
	/** Times a source was followed anew. */
	#joins = 0;
	/** Pictures of the current source were left out: it must be joined again. */
	#lost = false;
	#handOver: HandOver | undefined;
	#notBeforeMs = 0;
	/** In a row. */
	#cutsGivenUp = 0;
	#request: KeyFrameRequest | undefined;

	/** @param hostWaitsMs how long the program waits for the composite before it begins with the host */
	constructor(prefers: SourceId, nowMs: number, hostWaitsMs = 0) {
		this.#prefers = prefers;
		this.#hostMayBeginAtMs = nowMs + hostWaitsMs;
		this.#sinceMs = nowMs;
	}

	get source(): ProgramSource {
		return this.#source;
	}

	/** The picture that is or would be held. */
	get picture(): HoldPicture | undefined {
		return this.#program.picture;
	}

	/** What the composite's publisher is to be asked, once. */
	takeKeyFrameRequest(): KeyFrameRequest | undefined {
		const request = this.#request;
		this.#request = undefined;
		return request;
	}

	/** How long there has been no source, or none yet. */
	withoutSourceMs(nowMs: number): number {
		return this.#source === "hold" || this.#source === "none" ? nowMs - this.#sinceMs : 0;
	}

	figures(nowMs: number): RouterProgramStats {
		const held = this.#source === "hold" ? nowMs - this.#sinceMs : 0;
		return {
			source: this.#source,
			sinceMs: nowMs - this.#sinceMs,
			switches: this.#switches,
			heldMs: this.#heldMs + held,
		};
	}

	prefer(source: SourceId): void {
		this.#prefers = source;
	}

	/** Whether the host's pictures can be the program's. To be said before the tags it is said of. */
	setHostFit(fit: boolean): void {
		this.#sources.host.fit = fit;
	}

	/** Goes on with a picture from an earlier life until a source comes. */
	restore(picture: HoldPicture, nowMs: number): StreamTag[] {
		this.#program.restore(picture);
		this.#become("hold", nowMs);
		return this.#program.hold(nowMs);
	}

	push(id: SourceId, tag: StreamTag, nowMs: number): StreamTag[] {
		const source = this.#sources[id];
		const cut = { isHere: source.isClosed || tag.keyFrame, atMs: source.presentedMs };
		source.push(tag, nowMs);
		if (tag.showsHostMs !== undefined) {
			source.showed(tag, this.#sources.host.unwrap(tag.showsHostMs));
		}
		const joins = this.#joins;
		const ended = this.#settle(nowMs);
		if (this.#source !== id) {
			return [...ended, ...this.#pushOther(id, tag, nowMs)];
		}
		if (this.#joins !== joins || this.#lost) {
			// Joined just now, this tag included; or of the past.
			return ended;
		}
		if (cut.isHere && this.#mayCut(tag, nowMs)) {
			this.#handOver = { kind: "cut", atMs: cut.atMs, sinceMs: nowMs, kept: [] };
			this.#request = { type: "key-frame", afterHostMs: wrapMs(cut.atMs) };
		}
		return [...ended, ...this.#pushCurrent(id, tag, nowMs)];
	}

	/** The source's publisher has gone. */
	gone(id: SourceId, nowMs: number): StreamTag[] {
		this.#sources[id].leave();
		return this.#settle(nowMs);
	}

	/** To be called ten times a second or so: finds what has stopped, and holds. */
	tick(nowMs: number): StreamTag[] {
		const tags = this.#settle(nowMs);
		const { videoMs, videoAtMs } = this.#program;
		const isDue = videoMs !== undefined && nowMs - videoAtMs >= HOLD_EVERY_MS;
		return this.#source === "hold" && isDue ? [...tags, ...this.#program.hold(nowMs)] : tags;
	}

	/** Brings what the program is made of in line with who is there. */
	#settle(nowMs: number): StreamTag[] {
		const current = this.#current;
		const isThere = current !== undefined && this.#sources[current].isHealthy(nowMs);
		this.#lost ||= !isThere;
		if (!this.#lost) {
			return this.#settleHandOver(nowMs);
		}
		const next = chooseSource(this.#prefers, (id) => this.#canJoin(id, nowMs));
		if (next !== undefined) {
			return this.#join(next, nowMs);
		}
		const { videoMs, videoAtMs } = this.#program;
		if (videoMs !== undefined && this.#source !== "hold" && nowMs - videoAtMs >= SILENT_AFTER_MS) {
			this.#become("hold", nowMs);
			return this.#program.hold(nowMs);
		}
		return [];
	}

	#settleHandOver(nowMs: number): StreamTag[] {
		const handOver = this.#handOver;
		if (handOver === undefined) {
			return [];
		}
		const late = nowMs - handOver.sinceMs > HAND_OVER_WITHIN_MS;
		if (handOver.kind === "cut") {
			const { composite } = this.#sources;
			const comes = composite.isHealthy(nowMs) && composite.silentMs(nowMs) < CUT_WAITS_MS;
			return this.#prefers === "composite" && comes && !late ? [] : this.#giveUpCut(handOver, nowMs);
		}
		if (this.#prefers !== "host" || !this.#sources.host.isHealthy(nowMs)) {
			this.#handOver = undefined;
			return [];
		}
		// What was kept has been shown by the composite since, or is late: it is passed by.
		return late || !this.#composesHost ? this.#join("host", nowMs) : [];
	}

	#pushCurrent(id: SourceId, tag: StreamTag, nowMs: number): StreamTag[] {
		const handOver = this.#handOver;
		if (tag.epoch !== this.#epoch && tag.keyFrame) {
			// Another publisher took over: its time goes on where the old one's stood still, the clock did not.
			return this.#join(id, nowMs);
		}
		this.#epoch = tag.epoch;
		if (handOver?.kind === "cut") {
			const isBeforeCut = tag.track === "audio" && tag.timeMs < handOver.atMs + this.#sources.host.intervalMs;
			if (isBeforeCut) {
				return this.#program.audio(tag, this.#offsetMs);
			}
			handOver.kept.push(tag);
			return [];
		}
		if (handOver?.kind === "drain" && this.#isPast(handOver, tag)) {
			if (tag.track === "video") {
				return this.#finishDrain(handOver, nowMs);
			}
			if (this.#hostSoundsAt(tag)) {
				return [];
			}
		}
		if (tag.track === "video") {
			this.#keepPlace(id, nowMs);
		}
		return this.#write([tag], this.#offsetMs, nowMs);
	}

	/** A tag of a source the program is not made of. */
	#pushOther(id: SourceId, tag: StreamTag, nowMs: number): StreamTag[] {
		const handOver = this.#handOver;
		if (id === "composite" && handOver?.kind === "cut") {
			if (this.#isAfterCut(handOver, tag)) {
				return this.#finishCut(tag, nowMs);
			}
			if (tag.keyFrame) {
				// It may be another compositor's first, and that one has not been asked.
				this.#request = { type: "key-frame", afterHostMs: wrapMs(handOver.atMs) };
			}
			return [];
		}
		if (id === "host" && handOver?.kind === "drain") {
			handOver.kept.push(tag);
			return [];
		}
		const mayDrain = id === "host" && tag.keyFrame && this.#source === "composite" && this.#prefers === "host";
		if (mayDrain && this.#sources.host.isHealthy(nowMs)) {
			const drain: HandOver = { kind: "drain", atMs: tag.timeMs + tag.compositionMs, sinceMs: nowMs, kept: [tag] };
			this.#handOver = drain;
			return this.#composesHost ? [] : this.#finishDrain(drain, nowMs);
		}
		return [];
	}

	/** Whether the host is to be cut ahead of this picture of its. */
	#mayCut(tag: StreamTag, nowMs: number): boolean {
		return (
			this.#source === "host" &&
			this.#handOver === undefined &&
			this.#prefers === "composite" &&
			tag.track === "video" &&
			tag.epoch === this.#epoch &&
			nowMs >= this.#notBeforeMs &&
			this.#sources.composite.isHealthy(nowMs)
		);
	}

	/** A composite's key frame that goes on where the host was cut; one that does not show the host goes on anywhere. */
	#isAfterCut({ atMs }: HandOver, tag: StreamTag): boolean {
		return tag.keyFrame && (tag.showsHostMs === undefined || this.#sources.host.unwrap(tag.showsHostMs) > atMs);
	}

	/** Whether a composite's tag belongs to what the host itself will show. */
	#isPast({ atMs }: HandOver, tag: StreamTag): boolean {
		const { composite } = this.#sources;
		const hostMs = composite.hostMsAt(tag.timeMs);
		return hostMs !== undefined && hostMs >= atMs - composite.intervalMs / 2;
	}

	/** Whether the host itself has sound for that of the composite's: one that was asleep may begin with a picture. */
	#hostSoundsAt(tag: StreamTag): boolean {
		const { composite, host } = this.#sources;
		const hostMs = composite.hostMsAt(tag.timeMs);
		return hostMs !== undefined && host.hasSoundAt(hostMs);
	}

	/** Whether it is known which of the host's pictures the composite shows. */
	get #composesHost(): boolean {
		const { composite } = this.#sources;
		return composite.timeMs !== undefined && composite.hostMsAt(composite.timeMs) !== undefined;
	}

	#finishCut(keyFrame: StreamTag, nowMs: number): StreamTag[] {
		this.#cutsGivenUp = 0;
		const followsMs = this.#program.presentMs + this.#sources.host.intervalMs;
		return this.#followOn("composite", [keyFrame], followsMs - keyFrame.timeMs - keyFrame.compositionMs, nowMs);
	}

	#finishDrain({ atMs, kept }: HandOver, nowMs: number): StreamTag[] {
		const followsMs = this.#program.presentMs + this.#sources.composite.intervalMs;
		return this.#followOn("host", videoOf(kept), followsMs - atMs, nowMs);
	}

	/** Without a break, from one of the host's pictures to the next. */
	#followOn(id: SourceId, pictures: readonly StreamTag[], offsetMs: number, nowMs: number): StreamTag[] {
		const other = id === "host" ? { composite: this.#offsetMs } : { host: this.#offsetMs };
		this.#place.handedOver(id, { host: offsetMs, composite: offsetMs, ...other });
		return this.#follow(id, pictures, offsetMs, nowMs);
	}

	/** The host goes on as if nothing had been tried. */
	#giveUpCut({ kept }: HandOver, nowMs: number): StreamTag[] {
		this.#handOver = undefined;
		const waitMs = Math.min(HAND_OVER_AGAIN_AFTER_MS * 2 ** this.#cutsGivenUp, MAX_HAND_OVER_AGAIN_AFTER_MS);
		this.#cutsGivenUp++;
		this.#notBeforeMs = nowMs + waitMs;
		return this.#write(kept, this.#offsetMs, nowMs);
	}

	/** Takes a source from its last key frame on, its pictures where they would be had it been followed all the time. */
	#join(id: SourceId, nowMs: number): StreamTag[] {
		const pictures = this.#sources[id].pictures(nowMs);
		const [first] = pictures;
		if (first === undefined) {
			return [];
		}
		if (this.#program.videoMs === undefined) {
			this.#place.begin(id, -first.timeMs);
			return this.#follow(id, pictures, -first.timeMs, nowMs);
		}
		const offsetMs = this.#place.offsetOf(id, nowMs - this.#program.pacedMs(nowMs));
		return this.#follow(id, pictures, offsetMs, nowMs);
	}

	/** What came out of some queue when its source was joined is passed by, sound and pictures. */
	#keepPlace(id: SourceId, nowMs: number): void {
		const offsetMs = this.#place.keep(id, this.#offsetMs, nowMs - this.#program.videoAtMs);
		if (offsetMs !== this.#offsetMs) {
			this.#offsetMs = offsetMs;
			this.#program.joinSound();
		}
	}

	#follow(id: SourceId, pictures: readonly StreamTag[], offsetMs: number, nowMs: number): StreamTag[] {
		this.#handOver = undefined;
		this.#lost = false;
		this.#joins++;
		this.#offsetMs = Math.round(offsetMs);
		this.#epoch = pictures[0]?.epoch ?? this.#epoch;
		this.#become(id, nowMs);
		this.#program.joinSound();
		const tags = [...pictures, ...this.#sources[id].sound].sort((a, b) => a.timeMs - b.timeMs);
		return this.#write(tags, this.#offsetMs, nowMs);
	}

	#write(tags: readonly StreamTag[], offsetMs: number, nowMs: number): StreamTag[] {
		return tags.flatMap((tag) =>
			tag.track === "audio"
				? this.#program.audio(tag, offsetMs)
				: [this.#program.video(tag, offsetMs, nowMs), ...this.#silenceWhereMissing()],
		);
	}

	#silenceWhereMissing(): StreamTag[] {
		const { videoMs = 0, soundEndMs = videoMs, soundIsMissing } = this.#program;
		const isLate = videoMs - soundEndMs > SOUND_MISSING_AFTER_MS;
		return isLate || soundIsMissing ? this.#program.silence(videoMs - SILENCE_BEHIND_MS) : [];
	}

	#become(source: ProgramSource, nowMs: number): void {
		if (source === this.#source) {
			return;
		}
		this.#heldMs += this.#source === "hold" ? nowMs - this.#sinceMs : 0;
		this.#switches += this.#source === "none" ? 0 : 1;
		this.#source = source;
		this.#sinceMs = nowMs;
		this.#handOver = undefined;
	}

	get #current(): SourceId | undefined {
		return this.#source === "host" || this.#source === "composite" ? this.#source : undefined;
	}

	#canJoin(id: SourceId, nowMs: number): boolean {
		const tooEarly = id === "host" && this.#joins === 0 && nowMs < this.#hostMayBeginAtMs;
		return !tooEarly && this.#sources[id].isHealthy(nowMs) && this.#sources[id].pictures(nowMs).length > 0;
	}
}

function videoOf(tags: readonly StreamTag[]): StreamTag[] {
	return tags.filter(({ track }) => track === "video");
}
