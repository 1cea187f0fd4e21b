import { BroadcastControl } from "../../../worker/broadcast/broadcast-control.ts";
import type { BroadcastRecord } from "../../../worker/broadcast/broadcast-record.ts";
import type { ChangeCause } from "../../../worker/broadcast/record-keeper.ts";
import { sceneOf } from "../../../worker/broadcast/scene.ts";
import { statusEvent } from "../../../worker/broadcast/status-event.ts";
import { WorkRunner } from "../../../worker/broadcast/work-runner.ts";
import type { BroadcastCommand, NewBroadcast, NewDestination } from "../../../worker/protocol/broadcast-commands.ts";
import type { ControlEvent, Scene } from "../../../worker/protocol/control-messages.ts";
import type { EgressStatus } from "../../../worker/protocol/egress-status.ts";
import type {
	LeaseAnswer,
	LeaseStanding,
	ProgramPlan,
	RouterProgramStats,
	RouterStreamStats,
} from "../../../worker/protocol/object-rpc.ts";
import type { StreamName } from "../../../worker/protocol/roles.ts";

export const INPUT: NewBroadcast = {
	id: "b",
	title: "A test",
	hostName: "Host",
	guestName: "Guest",
	layout: "pip",
	width: 1280,
	height: 720,
	frameRate: 30,
	videoBitrateBps: 3_000_000,
	alwaysCompose: false,
	holdSeconds: 120,
	guestGraceSeconds: 10,
	maxGuests: 1,
	guestAdmission: "automatic",
	startMode: "manual",
	lobbySeconds: 600,
	noShowSeconds: 3_600,
	reminderMinutesBefore: 15,
	streamKeyHashes: { host: "h", guest: "g" },
	destinations: [newDestination("d1")],
};

/** A destination whose address and key are its own. */
export function newDestination(id: string, changes: Partial<NewDestination> = {}): NewDestination {
	return {
		id,
		service: "custom",
		via: "edge",
		shownUrl: `rtmp://${id}.example/app`,
		hasStreamKey: true,
		sealedAddress: `sealed-${id}`,
		fingerprint: `fingerprint-${id}`,
		allowBFrames: true,
		...changes,
	};
}

/** A command of the admin's. */
export function give(control: BroadcastControl, command: BroadcastCommand, nowMs: number) {
	return control.command(command, { actor: "admin" }, nowMs);
}

export const EGRESS: EgressStatus = { state: "live", bytes: 0, reconnects: 0, droppedTags: 0, queueMs: 0, attempts: 1 };

const NO_PROGRAM: RouterProgramStats = { source: "none", sinceMs: 0, switches: 0, heldMs: 0 };

function publisherStats(stream: StreamName): RouterStreamStats {
	return { stream, publisherConnected: true, bitrateBps: 0, tags: 0, subscribers: [] };
}

export class World {
	readonly calls: string[] = [];
	/** The sealed address that each Egress was started with. */
	readonly startedWith: string[] = [];
	/** An Egress answers its start no earlier than this. */
	startHeld: Promise<void> | undefined;
	/** Calls that reject, by their first word. */
	readonly failing = new Set<string>();
	/** Calls that never answer. */
	readonly hanging = new Set<string>();
	stored: BroadcastRecord | undefined;
	wakeAtMs: number | undefined;
	/** The alarm as it was set when each call was made. */
	readonly wakeAtCallsMs: (number | undefined)[] = [];
	dismissed = false;
	/** The plan that the Router took last. */
	plan: ProgramPlan | undefined;
	/** Who publishes, by the Router's figures. */
	publishing: StreamName[] = ["host", "guest"];
	readonly scenes: Scene[] = [];
	readonly statuses: ControlEvent[] = [];
	answer: LeaseAnswer = { outcome: "assigned", leaseId: "l" };
	standing: LeaseStanding = "running";

	control(record?: BroadcastRecord): BroadcastControl {
		const work = new WorkRunner({
			router: () => ({
				open: () => this.#call("open-router"),
				plan: async (plan) => {
					await this.#call("plan", plan.onAir ? plan.prefers : "off");
					this.plan = plan;
				},
				disconnect: (people) =>
					this.#call("disconnect", people.map((each) => `${each.person}<${each.credentialsVersion}`).join()),
				end: () => this.#call("end-router"),
				stats: async () => {
					await this.#call("router-stats");
					return { streams: this.publishing.map(publisherStats), program: NO_PROGRAM };
				},
			}),
			egress: (_, id) => ({
				start: async ({ sealedAddress }) => {
					this.startedWith.push(sealedAddress);
					await this.startHeld;
					await this.#call("start-egress", id);
				},
				resume: () => this.#call("resume-egress", id),
				stop: () => this.#call("stop-egress", id),
				status: async () => EGRESS,
				testDestination: async () => ({ ok: true, steps: [], bytes: 0 }),
				runnerStatus: async () => {},
			}),
			pool: () => ({
				acquire: async ({ fence }) => {
					await this.#call("acquire", String(fence));
					return this.answer;
				},
				release: (leaseId) => this.#call("release", leaseId),
				standing: async (leaseId) => {
					await this.#call("standing", leaseId);
					return this.standing;
				},
				acquireEgress: async () => ({ outcome: "assigned" }),
				releaseEgress: async () => {},
				stats: async () => ({ runners: 0, capacity: 0, freePlaces: 0, leases: 0, waiting: 0 }),
			}),
			index: {
				put: ({ status }) => this.#call("index", status),
				remove: () => this.#call("unindex"),
			},
			remindersDue: () => this.#call("remind"),
			compositorToken: async () => "token",
			// Time-outs are at once for what hangs, and never for what answers.
			delay: () => (this.hanging.size > 0 ? new Promise((resolve) => setTimeout(resolve, 5)) : new Promise(() => {})),
			report: () => {},
		});
		return new BroadcastControl(record, {
			store: {
				save: async (next, before, cause) => {
					this.stored = structuredClone(next);
					this.saved(next, before, cause);
				},
				clear: async () => {
					this.stored = undefined;
					this.wakeAtMs = undefined;
				},
				wakeAt: async (timeMs) => {
					this.wakeAtMs = timeMs;
				},
			},
			audience: {
				sceneChanged: (record) => this.scenes.push(sceneOf(record)),
				statusChanged: (record) => this.statuses.push(statusEvent(record)),
				callChanged: (before, after) => this.callChanged(before, after),
				fenceRaised: (fence) => this.calls.push(`fence ${fence}`),
				disconnect: (people) => this.calls.push(`dismiss ${people.join()}`),
				dismissAll: () => {
					this.dismissed = true;
				},
			},
			work,
			random: () => 0,
		});
	}

	/** What a change leads to where the call is told of it. */
	protected callChanged(_before: BroadcastRecord, _after: BroadcastRecord): void {}

	/** What a change leads to where it is stored. */
	protected saved(_next: BroadcastRecord, _before: BroadcastRecord | undefined, _cause: ChangeCause): void {}

	create(control: BroadcastControl, changes: Partial<NewBroadcast> = {}) {
		return control.create({ ...INPUT, ...changes }, { actor: "admin" }, 0);
	}

	taken(): string[] {
		this.wakeAtCallsMs.length = 0;
		return this.calls.splice(0);
	}

	async #call(name: string, argument?: string): Promise<void> {
		this.calls.push(argument === undefined ? name : `${name} ${argument}`);
		this.wakeAtCallsMs.push(this.wakeAtMs);
		if (this.hanging.has(name)) {
			await new Promise(() => {});
		}
		if (this.failing.has(name)) {
			throw new Error("test: it failed");
		}
	}
}

/** A broadcast that is live since 1 s, with what was done until then forgotten. */
export async function live(changes: Partial<NewBroadcast> = {}): Promise<{ world: World; control: BroadcastControl }> {
	const world = new World();
	const control = world.control();
	await world.create(control, changes);
	await give(control, { type: "start" }, 1_000);
	world.taken();
	return { world, control };
}
