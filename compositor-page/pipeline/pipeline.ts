import { usToMs } from "../../media/units.ts";
import type { Scene } from "../../worker/protocol/control-messages.ts";
import type { CompositorAssignment, CompositorPageStatus } from "../../worker/protocol/pool-messages.ts";
import type { AacSupport } from "../audio/program-audio-encoder.ts";
import type { Compositor } from "../compositor/compositor.ts";
import { ControlClient } from "../control/control-client.ts";
import { Cast } from "../people/cast.ts";
import { OutputClock } from "../program/output-clock.ts";
import { Program } from "../program/program.ts";
import { ProgramPublisher } from "../program/program-publisher.ts";
import { warmUp } from "../program/warm-up.ts";
import { StatsReporter } from "../stats/stats-reporter.ts";

const STATS_EVERY_MS = 1_000;

export interface PipelineOptions {
	readonly assignment: CompositorAssignment;
	readonly compositor: Compositor;
	readonly aacSupport: AacSupport;
	nowUs(): number;
	log(level: "info" | "warn", text: string): void;
	onStatus(status: CompositorPageStatus): void;
}

interface OnAir {
	readonly cast: Cast;
	readonly program: Program;
	readonly publisher: ProgramPublisher;
	readonly clock: OutputClock;
	readonly stats: StatsReporter;
}

/** One assignment from the first scene to the end: control socket, people, program. Ends once, for whatever reason. */
export class Pipeline {
	readonly #options: PipelineOptions;
	readonly #control: ControlClient;
	#onAir: OnAir | undefined;
	/** True from the first scene on: there is one start in a page's life. */
	#started = false;
	/** Taken up between two output frames, so that nobody's picture goes while it is being drawn. */
	#nextScene: Scene | undefined;
	#status: CompositorPageStatus = { state: "starting", programFrames: 0 };
	#statsTimer: ReturnType<typeof setInterval> | undefined;

	constructor(options: PipelineOptions) {
		this.#options = options;
		const { apiUrl, broadcastId, token } = options.assignment;
		this.#control = new ControlClient({
			apiUrl,
			broadcastId,
			token,
			onScene: (scene) => this.#takeScene(scene),
			onRefused: (reason) => this.#end("closed", `control: ${reason}`),
			onProblem: (reason) => options.log("warn", reason),
		});
		this.#report();
	}

	stop(reason: string): void {
		this.#end("closed", reason);
	}

	#takeScene(scene: Scene): void {
		this.#nextScene = scene;
		if (!this.#started && !this.#ended) {
			this.#started = true;
			this.#start(scene).catch((error: unknown) => this.#fail(error));
		}
	}

	#applyNextScene({ cast, program }: OnAir): void {
		const scene = this.#nextScene;
		if (scene !== undefined) {
			this.#nextScene = undefined;
			cast.apply(scene.people);
			program.applyScene(scene);
		}
	}

	get #ended(): boolean {
		return this.#status.state === "failed" || this.#status.state === "closed";
	}

	async #start(scene: Scene): Promise<void> {
		const { assignment, compositor, aacSupport, nowUs, log } = this.#options;
		const { apiUrl, broadcastId, token } = assignment;
		const onProblem = (reason: string) => log("warn", reason);
		const stats = new StatsReporter();
		await warmUp(compositor, scene);
		if (this.#ended) {
			return;
		}
		const publisher = new ProgramPublisher({
			apiUrl,
			broadcastId,
			token,
			onKeyFrameWanted: () => this.#onAir?.program.video.requestKeyFrame(),
			onKeyFrameRequest: (request) => this.#onAir?.program.orderKeyFrame(request),
			onProblem,
			onRefused: (reason) => this.#end("closed", `program: ${reason}`),
			nowUs,
		});
		const clock = new OutputClock({ frameRate: scene.frameRate, startUs: nowUs() });
		const program = await Program.create({
			scene,
			clock,
			compositor,
			publisher,
			aacSupport,
			nowUs,
			onProblem,
			onFailed: (reason) => this.#end("failed", reason),
		}).catch((error: unknown) => {
			publisher.close();
			throw error;
		});
		const cast = new Cast({
			apiUrl,
			broadcastId,
			token,
			outputFrameRate: scene.frameRate,
			soundBehindMs: usToMs(program.soundBehindUs),
			nowUs,
			onDecodeMs: (ms) => stats.decodeMs.add(ms),
			onProblem,
		});
		this.#onAir = { cast, program, publisher, clock, stats };
		if (this.#ended) {
			this.#release();
			return;
		}
		this.#statsTimer = setInterval(() => this.#sendStats(), STATS_EVERY_MS);
		this.#run(this.#onAir).catch((error: unknown) => this.#fail(error));
	}

	async #run(onAir: OnAir): Promise<void> {
		const { nowUs } = this.#options;
		const { clock, program, cast } = onAir;
		while (!this.#ended) {
			const tick = clock.take(nowUs());
			if (tick === undefined) {
				await sleep(usToMs(clock.waitUs(nowUs())));
				continue;
			}
			this.#applyNextScene(onAir);
			await program.produce(tick, cast.people);
			this.#report();
		}
	}

	#sendStats(): void {
		const onAir = this.#onAir;
		if (onAir === undefined) {
			return;
		}
		const { compositor, aacSupport, assignment, nowUs } = this.#options;
		const { program, publisher, cast, stats, clock } = onAir;
		const uptimeMs = usToMs(nowUs() - clock.dueUs(0));
		this.#control.sendStats(
			stats.report({
				fence: assignment.fence,
				uptimeMs,
				compositor: compositor.kind,
				audioEncoder: aacSupport.kind,
				program,
				publisher,
				people: cast.people,
				nowUs: nowUs(),
			}),
		);
	}

	#report(): void {
		// Encoded, published or not: who waits for a guest is alive.
		const programFrames = this.#onAir?.program.counters.frames ?? 0;
		if (!this.#ended) {
			this.#status = { state: programFrames > 0 ? "running" : "starting", programFrames };
		}
		this.#options.onStatus(this.#status);
	}

	#fail(error: unknown): void {
		this.#end("failed", error instanceof Error ? error.message : String(error));
	}

	#end(state: "failed" | "closed", reason: string): void {
		if (this.#ended) {
			return;
		}
		this.#status = { state, programFrames: this.#status.programFrames, reason };
		this.#options.log(state === "failed" ? "warn" : "info", `compositor ${state}: ${reason}`);
		this.#release();
		this.#control.close();
		this.#options.onStatus(this.#status);
	}

	#release(): void {
		clearInterval(this.#statsTimer);
		this.#onAir?.publisher.close();
		this.#onAir?.cast.close();
		this.#onAir?.program.close();
		this.#options.compositor.close();
	}
}

function sleep(ms: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
