import { LegSleep } from "../../../../worker/router/leg-sleep.ts";
import type { SourceId } from "../../../../worker/router/splicer/choose-source.ts";
import type { StreamTag } from "../../../../worker/router/stream-tag.ts";
import { World } from "./world.ts";

const TICK_EVERY_MS = 50;
const LEGS_EVERY_MS = 1_000;
const PLAN = { onAir: true, width: 640, height: 360, allowsBFrames: true, minFence: 0, holdSeconds: 120 } as const;

/** A world whose compositor has the host by another leg too, and whose host sleeps and wakes when it is told to. */
export class SleepingWorld extends World {
	readonly sleep = new LegSleep();
	/** What the host was told, and when. */
	readonly told: { readonly what: "sleep" | "wake"; readonly atMs: number }[] = [];
	/** From the Router's word to the host's first tag, or its last. */
	readonly wayMs: number;
	/** Whether the compositor has the host by the other leg. */
	hasRealTime = true;
	#prefers: SourceId;
	#compositeMs: number | undefined;
	#wasOn = false;
	#due: { readonly atMs: number; readonly what: "sleep" | "wake" } | undefined;

	constructor(options: ConstructorParameters<typeof World>[0] & { readonly wayMs: number }) {
		super(options);
		this.wayMs = options.wayMs;
		this.#prefers = options.prefers ?? "host";
	}

	prefer(source: SourceId): void {
		this.#prefers = source;
		this.splicer.prefer(source);
		this.#look();
	}

	/** The compositor's socket is closed, and the Router sees it. */
	closeComposite(): void {
		this.composite.disconnect();
		this.#compositeMs = undefined;
		this.#look();
	}

	override run(forMs: number): void {
		for (const endMs = this.nowMs + forMs; this.nowMs < endMs; ) {
			super.run(1);
			if (this.composite.isOn && !this.#wasOn) {
				this.sleep.forget();
			}
			this.#wasOn = this.composite.isOn;
			if (this.composite.isOn && this.nowMs % LEGS_EVERY_MS === 0) {
				this.sleep.legs(this.hasRealTime ? ["host"] : [], this.nowMs);
			}
			if (this.nowMs % TICK_EVERY_MS === 0) {
				this.#look();
			}
			if (this.#due !== undefined && this.nowMs >= this.#due.atMs) {
				this.#due.what === "sleep" ? this.host.fallAsleep() : this.host.wake();
				this.#due = undefined;
			}
		}
	}

	override push(id: SourceId, make: (mark: number) => StreamTag, content = -1): void {
		if (id === "composite") {
			this.#compositeMs = this.nowMs;
		}
		super.push(id, make, content);
	}

	#look(): void {
		const { source, sinceMs } = this.splicer.figures(this.nowMs);
		const compositeSilentMs = this.#compositeMs === undefined ? undefined : this.nowMs - this.#compositeMs;
		const plan = { ...PLAN, prefers: this.#prefers };
		const what = this.sleep.look({ plan, source, sourceForMs: sinceMs, compositeSilentMs }, this.nowMs);
		if (what !== undefined) {
			this.told.push({ what, atMs: this.nowMs });
			this.#due = { what, atMs: this.nowMs + this.wayMs };
		}
	}
}
