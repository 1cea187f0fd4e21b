import type { AacSupport } from "../../encoders/aac/program-audio-encoder.ts";
import { usToMs } from "../../media/units.ts";
import type { CompositorStats } from "../../worker/protocol/compositor-stats.ts";
import type { Scene } from "../../worker/protocol/control-messages.ts";
import type { CompositorAssignment, CompositorPageStatus } from "../../worker/protocol/pool-messages.ts";
import type { Compositor } from "../compositor/compositor.ts";
import { ControlClient } from "../control/control-client.ts";
import { Cast } from "../people/cast.ts";
import { OutputClock } from "../program/output-clock.ts";
import { Program } from "../program/program.ts";
import { ProgramPublisher } from "../program/program-publisher.ts";
import { warmUp } from "../program/warm-up.ts";
import { RateAdviser } from "../rate/rate-adviser.ts";
import type { FromPeers, TapTicket, ToPeers } from "../real-time/peer-messages.ts";
import { RealTimeFeeds } from "../real-time/real-time-feeds.ts";
import type { StandInFrames } from "../real-time/stand-in-frames.ts";
import type { Transformer } from "../real-time/tap.ts";
import { FrameRates } from "../stats/frame-rates.ts";
import { MachineWatch } from "../stats/machine-watch.ts";
import { StatsReporter } from "../stats/stats-reporter.ts";

const STATS_EVERY_MS = 1_000;

export interface PipelineOptions {
	readonly assignment: CompositorAssignment;
	readonly compositor: Compositor;
	readonly aacSupport: AacSupport;
	readonly standIns: StandInFrames;
	/** Unix time of `nowUs` 0, in microseconds. */
	readonly originUs: number;
	toPeers(message: ToPeers): void;
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
	readonly machine: MachineWatch;
}

/** One assignment from the first scene to the end: control socket, people, program. Ends once, for whatever reason. */
export class Pipeline {
	readonly #options: PipelineOptions;
	readonly #control: ControlClient;
	readonly #realTime: RealTimeFeeds;
	readonly #adviser = new RateAdviser();
	readonly #frameRates = new FrameRates();
	#onAir: OnAir | undefined;
	/** True from the first scene on: there is one start in a page's life. */
	#started = false;
	/** Taken up between two output frames, so that nobody's picture goes while it is being drawn. */
	#nextScene: Scene | undefined;
	#status: CompositorPageStatus = { state: "starting", programFrames: 0 };
	#saidLegs = "";
	#statsTimer: ReturnType<typeof setInterval> | undefined;

	constructor(options: PipelineOptions) {
		this.#options = options;
		const { apiUrl, broadcastId, token } = options.assignment;
		this.#realTime = new RealTimeFeeds({
			standIns: options.standIns,
			cast: () => this.#onAir?.cast,
			toPeers: options.toPeers,
			signal: (to, connection, signal) => this.#control.sendSignal(to, connection, signal),
			onMedia: (people) => this.#control.sendRealTimeMedia(people),
			onProblem: (reason) => options.log("warn", reason),
			nowUs: options.nowUs,
		});
		this.#control = new ControlClient({
			apiUrl,
			broadcastId,
			token,
			onScene: (scene) => this.#takeScene(scene),
			onCall: (call) => this.#realTime.takeCall(call),
			onSignal: (signal) => this.#realTime.takeSignal(signal),
			onOpen: () => this.#realTime.sayAgain(),
			onRefused: (reason) => this.#end("closed", `control: ${reason}`),
			onProblem: (reason) => options.log("warn", reason),
		});
		this.#report();
	}

	/** Word of the page's WebRTC connections. */
	fromPeers(message: FromPeers): void {
		this.#realTime.fromPeers(message);
	}

	/** A receiver's frames come here from now on. */
	attach(transformer: Transformer, ticket: TapTicket): void {
		this.#realTime.attach(transformer, ticket);
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
			originUs: this.#options.originUs,
			onPath: (text) => log("info", text),
			onKeyFrameWanted: (person) => this.#realTime.wantKeyFrame(person),
		});
		const machine = new MachineWatch(clock.programUs(1));
		this.#onAir = { cast, program, publisher, clock, stats, machine };
		if (this.#ended) {
			this.#release();
			return;
		}
		this.#statsTimer = setInterval(() => this.#sendStats(), STATS_EVERY_MS);
		this.#run(this.#onAir).catch((error: unknown) => this.#fail(error));
	}

	async #run(onAir: OnAir): Promise<void> {
		const { nowUs } = this.#options;
		const { clock, program, cast, machine } = onAir;
		while (!this.#ended) {
			const tick = clock.take(nowUs());
			if (tick === undefined) {
				await sleep(usToMs(clock.waitUs(nowUs())));
				continue;
			}
			machine.note(tick, nowUs());
			this.#applyNextScene(onAir);
			this.#realTime.tick();
			cast.tick(nowUs());
			this.#sendLegs(onAir, false);
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
		this.#sendLegs(onAir, true);
		for (const { id } of cast.people) {
			cast.setLegFigures(id, this.#realTime.figuresOf(id));
		}
		const report = stats.report({
			fence: assignment.fence,
			uptimeMs,
			compositor: compositor.kind,
			audioEncoder: aacSupport.kind,
			program,
			publisher,
			people: cast.people,
			nowUs: nowUs(),
		});
		this.#control.sendStats(report);
		this.#advise(onAir, report);
	}

	/** Has senders send less where machine or line does not suffice, and all again when it does. */
	#advise({ machine, program, cast }: OnAir, { people, program: { encodeQueue } }: CompositorStats): void {
		const nowUs = this.#options.nowUs();
		const heights = program.placeHeights(cast.people, nowUs);
		const rates = this.#frameRates.look(people, nowUs);
		const seconds = people.map(({ id, height, leg, realTime }) => ({
			...{ id, height, frameRate: rates.get(id) ?? 0, placeHeight: heights.get(id) ?? 0 },
			...(realTime === undefined || leg === "stream"
				? {}
				: { lossRatio: realTime.lossRatio, bitrateBps: realTime.bitrateBps }),
		}));
		for (const [id, advice] of this.#adviser.look({ ...machine.look(), encodeQueue }, seconds, usToMs(nowUs))) {
			this.#realTime.advise(id, advice);
		}
	}

	/** On each change, and now and then, so that nobody sleeps who is needed. */
	#sendLegs({ cast, publisher }: OnAir, again: boolean): void {
		const realTime = cast.realTime(this.#options.nowUs());
		const text = realTime.join();
		if ((again && text !== "") || text !== this.#saidLegs) {
			this.#saidLegs = text;
			publisher.sendLegs(realTime);
		}
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
		this.#realTime.close();
		this.#onAir?.publisher.close();
		this.#onAir?.cast.close();
		this.#onAir?.program.close();
		this.#options.compositor.close();
	}
}

function sleep(ms: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
