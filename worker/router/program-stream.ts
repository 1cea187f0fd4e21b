import type { KeyFrameRequest } from "../protocol/media-socket.ts";
import type { ProgramPlan, ProgramSource, RouterProgramStats, RouterStreamStats } from "../protocol/object-rpc.ts";
import { MAIN_PROGRAM_STREAM } from "../protocol/roles.ts";
import { Fanout } from "./fanout.ts";
import type { PictureSize } from "./picture-size.ts";
import type { SourceId } from "./splicer/choose-source.ts";
import { HoldPicture } from "./splicer/hold-picture.ts";
import { Splicer } from "./splicer/splicer.ts";
import type { StreamTag } from "./stream-tag.ts";

/** A program that is to begin with the composite begins with the host after all when there is none by then. */
const BEGIN_ANYWAY_AFTER_MS = 20_000;
/** After the object was lost, compositor and host both connect again within a second: without it the host alone would flash up first. */
const RESUME_WITH_HOST_AFTER_MS = 1_500;

export interface ProgramStreamOptions {
	/** The program is made of something else from now on. Must not throw. */
	readonly onSource: (source: ProgramSource) => void;
	/** The hold has begun with this key frame. Must not throw. */
	readonly onHold: (keyFrame: StreamTag) => void;
	/** To be handed to the composite's publisher. Must not throw. */
	readonly onKeyFrameRequest: (request: KeyFrameRequest) => void;
}

/** The program's stream: made by the splicer while the broadcast is on air, and sent to whoever subscribes. */
export class ProgramStream {
	readonly fanout = new Fanout();
	readonly #options: ProgramStreamOptions;
	#splicer: Splicer | undefined;
	#size: PictureSize | undefined;
	#source: ProgramSource = "none";

	constructor(options: ProgramStreamOptions) {
		this.#options = options;
	}

	get source(): ProgramSource {
		return this.#source;
	}

	get needsTicks(): boolean {
		return this.#splicer !== undefined || this.fanout.hasSubscribers;
	}

	/** How long there has been no source; 0 while off air. */
	withoutSourceMs(nowMs: number): number {
		return this.#splicer?.withoutSourceMs(nowMs) ?? 0;
	}

	/** `resumes`: the program was on air in an earlier life of the object. */
	plan(plan: ProgramPlan, nowMs: number, resumes = false): void {
		const { onAir, prefers, width, height } = plan;
		this.#size = { width, height };
		if (!onAir) {
			this.#splicer = undefined;
			this.#source = "none";
			return;
		}
		if (this.#splicer === undefined && prefers === "composite") {
			// One that is warm begins the program now, and not at the next key frame it would have made. What the host sent before is nobody's.
			this.#options.onKeyFrameRequest({ type: "key-frame" });
		}
		this.#splicer ??= new Splicer(prefers, nowMs, hostWaitsMs(plan, resumes));
		this.#splicer.prefer(prefers);
	}

	setHostFit(fit: boolean): void {
		this.#splicer?.setHostFit(fit);
	}

	/** Goes on holding with the key frame an earlier life of the object held. */
	restore(keyFrame: StreamTag, nowMs: number): void {
		this.#send(this.#splicer?.restore(new HoldPicture(keyFrame), nowMs), nowMs);
	}

	push(id: SourceId, tag: StreamTag, nowMs: number): void {
		this.#send(this.#splicer?.push(id, tag, nowMs), nowMs);
	}

	/** The source's publisher has gone. */
	gone(id: SourceId, nowMs: number): void {
		this.#send(this.#splicer?.gone(id, nowMs), nowMs);
	}

	/** To be called ten times a second. */
	tick(nowMs: number): void {
		this.fanout.tick(nowMs);
		this.#send(this.#splicer?.tick(nowMs), nowMs);
	}

	/** Closes every subscriber; there is no program until the next plan. */
	end(reason: string): void {
		this.#splicer = undefined;
		this.#source = "none";
		this.fanout.end(reason);
	}

	programStats(nowMs: number): RouterProgramStats {
		return this.#splicer?.figures(nowMs) ?? { source: "none", sinceMs: 0, switches: 0, heldMs: 0 };
	}

	stats(nowMs: number): RouterStreamStats {
		const publisherConnected = this.#source !== "none";
		return {
			stream: MAIN_PROGRAM_STREAM,
			publisherConnected,
			...this.fanout.figures(nowMs),
			...(publisherConnected && { videoCodec: "avc", audioCodec: "aac", ...this.#size }),
		};
	}

	#send(tags: readonly StreamTag[] | undefined, nowMs: number): void {
		for (const tag of tags ?? []) {
			this.fanout.push(tag, nowMs);
		}
		const splicer = this.#splicer;
		const request = splicer?.takeKeyFrameRequest();
		if (request !== undefined) {
			this.#options.onKeyFrameRequest(request);
		}
		if (splicer !== undefined && splicer.source !== this.#source) {
			this.#source = splicer.source;
			if (this.#source === "hold" && splicer.picture !== undefined) {
				this.#options.onHold(splicer.picture.keyFrame);
			}
			this.#options.onSource(this.#source);
		}
	}
}

function hostWaitsMs({ beginsComposed, prefers }: ProgramPlan, resumes: boolean): number {
	if (resumes) {
		return prefers === "composite" ? RESUME_WITH_HOST_AFTER_MS : 0;
	}
	return beginsComposed ? BEGIN_ANYWAY_AFTER_MS : 0;
}
