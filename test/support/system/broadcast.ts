import { ApiClient, type BroadcastStats, type CreatedBroadcast, type NewBroadcast } from "../../../scripts/api.ts";
import { type LocalSystem, startTandem } from "../../../scripts/local-system.ts";
import { waitFor } from "../../../scripts/wait-for.ts";
import type { CompositorStats } from "../../../worker/protocol/compositor-stats.ts";
import type { Talker } from "./talkers.ts";

/** A browser that starts on two loaded cores, decoders and all. */
const ON_AIR_WITHIN_MS = 90_000;

/** The whole system, as a test file starts it once. */
export interface SystemUnderTest extends AsyncDisposable {
	readonly system: LocalSystem;
	readonly api: ApiClient;
	/** Creates a broadcast and starts it. It is composed from its first frame on, unless it says `alwaysCompose: false`. */
	goLive(broadcast: NewBroadcast): Promise<LiveBroadcast>;
}

export async function startSystem(folder: string): Promise<SystemUnderTest> {
	const system = await startTandem({ port: 0, rtmpPort: 0, persist: folder });
	const api = new ApiClient(system.apiUrl, system.adminToken);
	return {
		system,
		api,
		goLive: async (broadcast) => {
			const created = await api.create({ alwaysCompose: true, ...broadcast });
			await api.start(created.id);
			return new LiveBroadcast(api, created);
		},
		[Symbol.asyncDispose]: () => system.stop(),
	};
}

/** One broadcast as tests drive it. */
export class LiveBroadcast {
	readonly created: CreatedBroadcast;
	readonly #api: ApiClient;

	constructor(api: ApiClient, created: CreatedBroadcast) {
		this.#api = api;
		this.created = created;
	}

	get id(): string {
		return this.created.id;
	}

	/** Where a person publishes, stream key and all. */
	publishUrl(person: Talker): string {
		const { url, streamKey } = this.created.ingest[person].rtmp;
		return `${url}/${streamKey}`;
	}

	stats(): Promise<BroadcastStats> {
		return this.#api.stats(this.id);
	}

	end(): Promise<void> {
		return this.#api.end(this.id);
	}

	/** What the compositor reported last. Throws before it did. */
	async compositorStats(): Promise<CompositorStats> {
		const { compositor } = await this.stats();
		if (compositor.reported === undefined) {
			throw new Error(`expected the compositor to have reported, its lease is ${compositor.lease}`);
		}
		return compositor.reported.stats;
	}

	/** Resolves when the picture of each of these people is live. */
	untilSeen(people: readonly Talker[]): Promise<CompositorStats> {
		return waitFor(`${people.join(" and ")} in the picture`, ON_AIR_WITHIN_MS, async () => {
			const stats = await this.compositorStats();
			const seen = people.every((id) => stats.people.find((person) => person.id === id)?.picture === "live");
			return seen ? stats : undefined;
		});
	}

	/** Resolves when every destination takes the program. */
	untilLive(): Promise<BroadcastStats> {
		return waitFor("every destination live", ON_AIR_WITHIN_MS, async () => {
			const stats = await this.stats();
			return stats.destinations.every(({ state }) => state === "live") ? stats : undefined;
		});
	}

	/** Resolves when the program has gone on for this long, by its own count of frames. */
	async untilProgramGoesOn(seconds: number): Promise<CompositorStats> {
		const start = await this.compositorStats();
		const frames = start.program.frames + seconds * start.program.frameRate;
		return await waitFor(`${seconds} s more of program`, ON_AIR_WITHIN_MS + seconds * 2_000, async () => {
			const stats = await this.compositorStats();
			return stats.program.frames >= frames ? stats : undefined;
		});
	}
}
