import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { layOut } from "../../compositor-page/layouts/lay-out.ts";
import type { Rect } from "../../media/layout.ts";
import { decodeReceived } from "../../test/support/faults/decode-received.ts";
import { FaultProxy } from "../../test/support/faults/fault-proxy.ts";
import { judge, type Verdict } from "../../test/support/faults/judge.ts";
import { PacedPublisher } from "../../test/support/faults/paced-publisher.ts";
import { RecordingDestination } from "../../test/support/faults/recording-destination.ts";
import type { Timeline } from "../../test/support/faults/timeline.ts";
import { publishFile } from "../../test/support/peers/ffmpeg-publisher.ts";
import type { PeerProgram } from "../../test/support/peers/peer-program.ts";
import { readMediaTags } from "../../test/support/rtmp/flv-file.ts";
import { TALKERS, type Talker } from "../../test/support/system/talkers.ts";
import type { CreatedBroadcast, NewBroadcast } from "../api.ts";
import { waitFor } from "../wait-for.ts";
import type { FaultBench } from "./bench.ts";
import { type ClipName, type Clips, HOST_IDS, PROGRAM, TONES_HZ } from "./clips.ts";

/** A browser that starts on two loaded cores, or a destination's longest back-off: whatever is waited for takes far less. */
const WITHIN_MS = 60_000;
/** How long a stream is watched before a fault, which tells what latency is normally, and after recovery, to see that it stays so. */
export interface Watching {
	readonly beforeMs: number;
	readonly afterMs: number;
}

const WATCHING: Watching = { beforeMs: 4_000, afterMs: 4_500 };
/** The stream flows when this long it has had at least half its frames: what is held comes twice a second. */
const FLOWS_MS = 2_000;
const FLOWS_SHARE = 0.5;
const STREAM_KEY = "faults";
const LAYOUT = "landscape";

const statsSchema = z.object({
	program: z.object({ source: z.string(), heldMs: z.number() }).optional(),
	compositor: z.object({ lease: z.string(), fence: z.number() }),
	destinations: z.array(
		z.object({
			id: z.string(),
			state: z.string(),
			egress: z.object({ reconnects: z.number(), droppedTags: z.number() }).optional(),
		}),
	),
});
export type StageStats = z.infer<typeof statsSchema>;

/** One broadcast on the bench with one destination, driven through a fault. */
export class Stage implements AsyncDisposable {
	readonly bench: FaultBench;
	readonly destination: RecordingDestination;
	/** From the Worker to the destination. */
	readonly destinationLine: FaultProxy;
	/** What else was seen to be wrong. */
	readonly faults: string[] = [];
	readonly #clips: Clips;
	readonly #watching: Watching;
	readonly #undo: AsyncDisposableStack;
	#broadcast: CreatedBroadcast | undefined;
	#fenceBefore = 0;
	#fromMs: number | undefined;
	#injectedAtMs: number | undefined;
	#restoredAtMs: number | undefined;

	private constructor(
		bench: FaultBench,
		clips: Clips,
		destination: RecordingDestination,
		line: FaultProxy,
		watching: Watching,
		undo: AsyncDisposableStack,
	) {
		this.bench = bench;
		this.#clips = clips;
		this.destination = destination;
		this.destinationLine = line;
		this.#watching = watching;
		this.#undo = undo;
	}

	static async set(bench: FaultBench, clips: Clips, watching = WATCHING): Promise<Stage> {
		await using undo = new AsyncDisposableStack();
		await clips.get("host");
		const destination = undo.use(await RecordingDestination.listen());
		const line = undo.use(await FaultProxy.to(destination.port));
		return new Stage(bench, clips, destination, line, watching, undo.move());
	}

	/** Creates a broadcast with the destination, and starts it. */
	async goLive(settings: Partial<NewBroadcast> = {}): Promise<void> {
		this.#broadcast = await this.bench.api.create({
			title: "Faults",
			layout: LAYOUT,
			...PROGRAM,
			videoBitrate: 1_500_000,
			destinations: [{ url: `rtmp://127.0.0.1:${this.destinationLine.port}/live`, streamKey: STREAM_KEY }],
			...settings,
		});
		await this.bench.api.start(this.broadcastId);
	}

	get broadcastId(): string {
		return this.#created.id;
	}

	get #created(): CreatedBroadcast {
		if (this.#broadcast === undefined) {
			throw new Error("faults: expected a broadcast, got none yet");
		}
		return this.#broadcast;
	}

	/** An encoder that publishes a clip at its own pace, over the line that can misbehave. */
	async publish(person: Talker, clip: ClipName): Promise<PeerProgram> {
		const file = await this.#clips.get(clip);
		const { url, streamKey } = this.#created.ingest[person].rtmp;
		return this.#undo.use(publishFile(file, `${this.#lineTo(url)}/${streamKey}`));
	}

	/** As {@link publish}, with a publisher of ours whose times can be made to jump. */
	async publishPaced(person: Talker, clip: ClipName, shiftMs = 0): Promise<PacedPublisher> {
		const tags = await this.clipTags(clip);
		const { url, streamKey } = this.#created.ingest[person].rtmp;
		return this.#undo.use(await PacedPublisher.start(this.#lineTo(url), streamKey, tags, { shiftMs }));
	}

	async clipTags(clip: ClipName) {
		return await readMediaTags(await this.#clips.get(clip));
	}

	/** Makes clips that will be wanted in the middle of a fault. */
	async prepare(...clips: readonly ClipName[]): Promise<void> {
		for (const clip of clips) {
			await this.#clips.get(clip);
		}
	}

	async stats(): Promise<StageStats> {
		return statsSchema.parse(await this.bench.api.call("GET", `/api/broadcasts/${this.broadcastId}/stats`));
	}

	/** Resolves when the destination has got the stream at its rate for 2 s. */
	async untilFlows(destination = this.destination): Promise<void> {
		const wanted = ((PROGRAM.frameRate * FLOWS_MS) / 1_000) * FLOWS_SHARE;
		await waitFor("the stream to flow", WITHIN_MS, () => destination.framesWithin(FLOWS_MS) >= wanted || undefined);
	}

	/** Resolves when the program is made of that. */
	async untilProgramIs(source: "host" | "composite"): Promise<void> {
		await waitFor(`the program to be made of ${source}`, WITHIN_MS, async () => {
			const stats = await this.stats();
			const now = stats.program?.source;
			if (now !== source) {
				throw new Error(`it is ${now}, with a compositor that is ${stats.compositor.lease}`);
			}
			return true;
		});
	}

	/** Resolves when the program is composed by another compositor than the one that the fault was done to. */
	async untilComposedAnew(): Promise<void> {
		const before = this.#fenceBefore;
		await waitFor("another compositor", WITHIN_MS, async () => {
			const { compositor } = await this.stats();
			return compositor.fence > before || undefined;
		});
		await this.untilProgramIs("composite");
	}

	/** Judged is what comes from here on. */
	async settle(): Promise<void> {
		await this.untilFlows();
		this.bench.noteBrowsers();
		this.#fromMs = performance.now();
		await sleep(this.#watching.beforeMs);
	}

	/** Makes the fault, whose beginning is the moment before. */
	async inject(fault: () => void | Promise<void>): Promise<void> {
		this.#fenceBefore = (await this.stats()).compositor.fence;
		this.#injectedAtMs = performance.now();
		await fault();
	}

	/** Takes the fault's cause away, whose end is the moment after. */
	async restore(cause: () => void | Promise<void> = () => {}): Promise<void> {
		await cause();
		this.#restoredAtMs = performance.now();
	}

	/** Something that must be so. */
	expect(isSo: boolean, otherwise: string): void {
		if (!isSo) {
			this.faults.push(otherwise);
		}
	}

	/** Lets the stream flow on for a while, ends the broadcast and judges what the destination got. */
	async finish(): Promise<{ verdict: Verdict; timeline: Timeline }> {
		await this.untilFlows();
		await sleep(this.#watching.afterMs);
		const toMs = performance.now();
		this.bench.noteBrowsers();
		await this.bench.api.end(this.broadcastId);
		const timeline = await decodeReceived(this.destination.sessions, {
			width: PROGRAM.width,
			height: PROGRAM.height,
			places: placesOfTheHost(),
			tonesHz: TONES_HZ,
		});
		const fromMs = this.#fromMs ?? 0;
		const verdict = judge(timeline, {
			frameRate: PROGRAM.frameRate,
			ids: HOST_IDS,
			fromMs,
			toMs,
			injectedAtMs: this.#injectedAtMs ?? fromMs,
			...(this.#restoredAtMs === undefined ? {} : { restoredAtMs: this.#restoredAtMs }),
		});
		return { verdict, timeline };
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#undo.disposeAsync();
	}

	#lineTo(url: string): string {
		const line = new URL(url);
		line.port = String(this.bench.publisherLine.port);
		return line.href;
	}
}

/** Where the host is seen: alone, and beside the guest. */
function placesOfTheHost(): Rect[] {
	const together = layOut(LAYOUT, PROGRAM, TALKERS).places.find(({ id }) => id === "host");
	return [
		{ x: 0, y: 0, width: PROGRAM.width, height: PROGRAM.height },
		...(together === undefined ? [] : [together.rect]),
	];
}
