import { GuestNetwork } from "./guest-network.ts";
import type { TalkResult, TalkStage } from "./stage.ts";

/** What is to be reached, where something is. */
export interface TalkTargets {
	/** Person to person, 95 of 100 pictures. */
	readonly seenP95Ms?: number;
	/** From capture to the destination. */
	readonly programP95Ms?: number;
	/** Longest time that the program's picture stands still. */
	readonly freezeMs?: number;
	/** What a hand-off costs the picture. */
	readonly spliceMs?: number;
	readonly spliceLostMs?: number;
	/** Pictures of the host that come after newer ones. Default 0: what takes the place of something that died is put where the clock says. */
	readonly shownBack?: number;
}

export interface TalkCase {
	readonly name: string;
	readonly what: string;
	readonly targets: TalkTargets;
	/** In words, why it cannot be tried on this machine; `undefined` where it can. */
	refusal?(): Promise<string | undefined>;
	run(stage: TalkStage, seconds: number): Promise<void>;
}

const ONE_FRAME_MS = 1_000 / 30;

/** Both on air and talking, by WebRTC. */
async function together(stage: TalkStage): Promise<void> {
	await stage.hostGoesLive();
	await stage.guestComes();
	await stage.untilTogether();
}

async function measured(stage: TalkStage, during: () => Promise<void>): Promise<void> {
	await together(stage);
	await stage.measureFromHere();
	await during();
	await stage.measureToHere();
}

/** The same, with the guest in a network of their own. */
async function fromElsewhere(stage: TalkStage, during: (network: GuestNetwork) => Promise<void>): Promise<void> {
	await stage.hostGoesLive({ proxied: false });
	const network = await stage.guestComesFromElsewhere();
	await stage.untilTogether();
	await stage.measureFromHere();
	await during(network);
	await stage.measureToHere();
}

const LOSS_AND_JITTER = { lossPercent: 2, jitterMs: 50 };

export const TALK_CASES: readonly TalkCase[] = [
	{
		name: "clean",
		what: "a good line",
		targets: { seenP95Ms: 200, programP95Ms: 250, freezeMs: 500 },
		run: (stage, seconds) => measured(stage, () => stage.lasts(seconds * 1_000)),
	},
	{
		name: "loss-jitter",
		what: "2 % loss and 50 ms of jitter",
		targets: { seenP95Ms: 500 },
		run: (stage, seconds) =>
			measured(stage, async () => {
				stage.proxy.set({ loss: 0.02, jitterMs: 50 });
				await stage.lasts(seconds * 1_000);
			}),
	},
	{
		name: "loss-burst",
		what: "10 % loss for 10 s",
		targets: {},
		run: (stage, seconds) =>
			measured(stage, async () => {
				stage.proxy.set({ loss: 0.1 });
				await stage.lasts(10_000);
				stage.proxy.set({});
				await stage.lasts(Math.max(5, seconds - 10) * 1_000);
			}),
	},
	{
		name: "nothing-5s",
		what: "5 s of nothing",
		targets: {},
		run: (stage, seconds) =>
			measured(stage, async () => {
				await stage.lasts(3_000);
				stage.proxy.set({ blackhole: true });
				await stage.lasts(5_000);
				stage.proxy.set({});
				await stage.lasts(Math.max(8, seconds - 8) * 1_000);
				await stage.untilLegsAre("real-time");
			}),
	},
	{
		name: "address",
		what: "a switch of address",
		targets: {},
		run: (stage, seconds) =>
			measured(stage, async () => {
				await stage.lasts(3_000);
				await stage.proxy.changeAddress();
				await stage.lasts(Math.max(10, seconds - 3) * 1_000);
				await stage.untilLegsAre("real-time");
			}),
	},
	{
		name: "moved",
		what: "the guest moves to another network, in a namespace",
		targets: {},
		refusal: GuestNetwork.refusal,
		run: (stage, seconds) =>
			fromElsewhere(stage, async (network) => {
				await stage.lasts(3_000);
				await network.move();
				await stage.lasts(Math.max(10, seconds - 3) * 1_000);
				await stage.untilLegsAre("real-time");
			}),
	},
	{
		name: "netem",
		what: "2 % loss and 50 ms of jitter, by the kernel, on all of the guest's lines",
		targets: { seenP95Ms: 500 },
		refusal: () => GuestNetwork.refusal(LOSS_AND_JITTER),
		run: (stage, seconds) =>
			fromElsewhere(stage, async (network) => {
				await network.setWeather(LOSS_AND_JITTER);
				await stage.lasts(seconds * 1_000);
			}),
	},
	{
		name: "udp-blocked",
		what: "UDP blocked: by the stream legs",
		targets: {},
		run: async (stage, seconds) => {
			stage.proxy.set({ blackhole: true });
			await stage.hostGoesLive();
			await stage.guestComes();
			await stage.untilLegsAre("stream");
			await stage.untilProgramIs("composite");
			await stage.untilTheyTalk();
			await stage.lasts(3_000);
			await stage.measureFromHere();
			await stage.lasts(seconds * 1_000);
			await stage.measureToHere();
			await stage.untilPagesTellOfDetour();
		},
	},
	{
		name: "narrow",
		what: "500 kb/s each way",
		targets: {},
		run: (stage, seconds) =>
			measured(stage, async () => {
				stage.proxy.set({ rateBps: 500_000 });
				await stage.lasts((seconds + 10) * 1_000);
			}),
	},
	{
		name: "slow-upload",
		what: "the host alone, on an upload of 200 kb/s with a megabyte of queue",
		targets: { programP95Ms: 500, freezeMs: 500 },
		run: async (stage, seconds) => {
			await stage.hostGoesLive({ proxied: false, slow: { rateBps: 200_000, queueBytes: 1_000_000 } });
			// Down from the full bitrate, which has filled the queue.
			await stage.lasts(8_000);
			await stage.measureFromHere();
			await stage.lasts(seconds * 1_000);
			await stage.measureToHere();
		},
	},
	{
		name: "hand-off",
		what: "a guest comes and goes: stream leg to real-time leg and back",
		targets: { spliceMs: ONE_FRAME_MS + 1, spliceLostMs: ONE_FRAME_MS, freezeMs: 300 },
		run: async (stage, seconds) => {
			await stage.hostGoesLive();
			await stage.lasts(2_000);
			await stage.measureFromHere();
			await stage.guestComes();
			await stage.untilProgramIs("composite");
			await stage.untilLegsAre("real-time");
			await stage.lasts(seconds * 500);
			await stage.guestLeaves();
			await stage.untilProgramIs("host");
			await stage.lasts(3_000);
			await stage.measureToHere();
		},
	},
	{
		name: "compositor-killed",
		what: "the compositor's browser killed while the host's stream sleeps",
		targets: { freezeMs: 2_000, shownBack: 2 },
		run: async (stage, seconds) => {
			await together(stage);
			await stage.untilHostSleeps();
			await stage.measureFromHere();
			await stage.lasts(2_000);
			await stage.killCompositor();
			await stage.untilComposedAnew();
			await stage.untilLegsAre("real-time");
			await stage.lasts(seconds * 500);
			await stage.measureToHere();
		},
	},
	{
		name: "long",
		what: "30 minutes of talk",
		targets: { seenP95Ms: 200, programP95Ms: 250 },
		run: (stage) => measured(stage, () => stage.lasts(30 * 60_000)),
	},
];

/** What of a case's targets was missed, in words. */
export function missedTargets({ targets }: TalkCase, result: TalkResult): string[] {
	const misses: string[] = [];
	const over = (what: string, value: number | undefined, target: number | undefined) => {
		if (target !== undefined && !(value !== undefined && value <= target)) {
			misses.push(
				`${what}: expected at most ${Math.round(target)} ms, got ${value === undefined ? "none" : Math.round(value)}`,
			);
		}
	};
	for (const talker of ["host", "guest"] as const) {
		over(`seen by the ${talker}`, result[talker]?.seen?.p95, targets.seenP95Ms);
	}
	over("program", result.program.seen?.p95, targets.programP95Ms);
	over("freeze", result.program.freezeMs, targets.freezeMs);
	over("hand-off", result.program.spliceMs, targets.spliceMs);
	over("left out at a hand-off", result.program.spliceLostMs, targets.spliceLostMs);
	const { shownBack } = result.program;
	if (shownBack > (targets.shownBack ?? 0)) {
		misses.push(`expected at most ${targets.shownBack ?? 0} older pictures after newer ones, got ${shownBack}`);
	}
	return misses;
}

/** What must hold on any machine. */
export function unsound({ program, wentByProxy }: TalkResult): string[] {
	return [
		...(wentByProxy ? [] : ["expected WebRTC to go by the proxy, got no packet there"]),
		...(program.sessions === 1 ? [] : [`expected one RTMP session, got ${program.sessions}`]),
		...(program.timeBack === 0 ? [] : [`expected time to rise, got ${program.timeBack} steps back`]),
	];
}
