import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { layOut } from "../../compositor-page/layouts/lay-out.ts";
import type { Rect } from "../../media/layout.ts";
import { decodeReceived } from "../../test/support/faults/decode-received.ts";
import { busyBrowserOf, signalAll } from "../../test/support/faults/processes-of.ts";
import { RecordingDestination } from "../../test/support/faults/recording-destination.ts";
import { LiveBroadcast, type SystemUnderTest, startSystem } from "../../test/support/system/broadcast.ts";
import { TALKERS, type Talker } from "../../test/support/system/talkers.ts";
import { waitFor } from "../wait-for.ts";
import { type PersonFigures, type ProgramFigures, personFigures, programFigures } from "./figures.ts";
import { GuestNetwork } from "./guest-network.ts";
import { MARKS, TalkPerson } from "./person.ts";
import { SlowLine, type SlowLineOptions } from "./slow-line.ts";
import { UdpProxy } from "./udp-proxy.ts";

const WITHIN_MS = 90_000;
const PROGRAM = { width: 640, height: 360, frameRate: 30 };
const LAYOUT = "landscape";
const STREAM_KEY = "talk";

/** Of the figures, what tells that a publisher is there and silent. */
const routerSchema = z.object({
	sources: z.array(
		z.object({ stream: z.string(), publisherConnected: z.boolean(), lastTagAgeMs: z.number().optional() }),
	),
});
const ASLEEP_AFTER_MS = 1_000;

export interface TalkResult {
	readonly host: PersonFigures | undefined;
	readonly guest: PersonFigures | undefined;
	readonly program: ProgramFigures;
	/** Asked for by the compositor, of both. */
	readonly keyFrameRequests: number;
	/** By what each is in the program, at the end. */
	readonly legs: Readonly<Partial<Record<Talker, string>>>;
	/** Packets that came to the proxy while it was measured, all lines together. */
	readonly packets: { readonly carried: number; readonly lost: number };
	/**
	 * Some came there at any time, where anybody is to go by it: where none did, the peers have found another way, and nothing of the line's weather is in
	 * the figures.
	 */
	readonly wentByProxy: boolean;
}

/** Two people with a browser each, in one broadcast with one destination, and the network between them. */
export class TalkStage implements AsyncDisposable {
	readonly proxy: UdpProxy;
	readonly destination: RecordingDestination;
	readonly system: SystemUnderTest;
	readonly #undo: AsyncDisposableStack;
	readonly #people = new Map<Talker, TalkPerson>();
	#broadcast: LiveBroadcast | undefined;
	#isProxied = false;
	#fromMs = 0;
	#toMs = 0;
	#fenceBefore = 0;
	#packetsBefore = { carried: 0, lost: 0 };
	#packets = { carried: 0, lost: 0 };
	readonly #before = new Map<Talker, Awaited<ReturnType<TalkPerson["heardFigures"]>>>();
	readonly #measured = new Map<Talker, PersonFigures>();

	private constructor(parts: Pick<TalkStage, "proxy" | "destination" | "system">, undo: AsyncDisposableStack) {
		this.proxy = parts.proxy;
		this.destination = parts.destination;
		this.system = parts.system;
		this.#undo = undo;
	}

	static async set(seed = 1): Promise<TalkStage> {
		await using undo = new AsyncDisposableStack();
		const folder = mkdtempSync(join(tmpdir(), "tandem-talk-"));
		undo.defer(() => rmSync(folder, { recursive: true, force: true }));
		const system = undo.use(await startSystem(join(folder, "system")));
		const destination = undo.use(await RecordingDestination.listen());
		const proxy = undo.use(new UdpProxy(seed));
		return new TalkStage({ proxy, destination, system }, undo.move());
	}

	get broadcast(): LiveBroadcast {
		if (this.#broadcast === undefined) {
			throw new Error("talk: expected a broadcast, got none yet");
		}
		return this.#broadcast;
	}

	person(talker: Talker): TalkPerson {
		const person = this.#people.get(talker);
		if (person === undefined) {
			throw new Error(`talk: expected the ${talker} to be there, got nobody`);
		}
		return person;
	}

	/** The host, alone on air. */
	async hostGoesLive(options: { readonly proxied?: boolean; readonly slow?: SlowLineOptions } = {}): Promise<void> {
		const { api } = this.system;
		const created = await api.create({
			title: "Talk",
			layout: LAYOUT,
			...PROGRAM,
			videoBitrate: 1_500_000,
			destinations: [{ url: this.destination.url, streamKey: STREAM_KEY }],
		});
		this.#broadcast = new LiveBroadcast(api, created);
		const { studio } = created.links;
		const slow = options.slow && this.#undo.use(await SlowLine.to(new URL(studio), options.slow));
		const host = await this.#open("host", slow?.through(studio) ?? studio, options.proxied ?? true);
		await host.click("Enter the studio");
		await waitFor("the host's stream", WITHIN_MS, async () => {
			const { liveStreams } = (await api.call("GET", `/api/broadcasts/${created.id}`)) as { liveStreams: string[] };
			return liveStreams.includes("host") || undefined;
		});
		await api.start(created.id);
		await this.untilProgramIs("host");
	}

	async guestComes(options: { readonly proxied?: boolean } = {}): Promise<void> {
		const guest = await this.#open("guest", this.broadcast.created.links.join, options.proxied ?? true);
		await guest.click("Enter");
	}

	/** By a network of their own, with nothing between that loses or delays. */
	async guestComesFromElsewhere(): Promise<GuestNetwork> {
		const network = this.#undo.use(await GuestNetwork.make());
		const guest = await this.#open("guest", this.broadcast.created.links.join, false, network);
		await guest.click("Enter");
		return network;
	}

	async guestLeaves(): Promise<void> {
		await this.#measure("guest");
		await this.person("guest").click("Leave");
	}

	async untilProgramIs(source: "host" | "composite"): Promise<void> {
		await waitFor(`the program to be made of ${source}`, WITHIN_MS, async () => {
			const { program } = await this.broadcast.stats();
			return program?.source === source || undefined;
		});
	}

	/** Until both are on air and talk, by WebRTC. */
	async untilTogether(): Promise<void> {
		await this.untilProgramIs("composite");
		await this.untilLegsAre("real-time");
		await this.untilTheyTalk();
		// What starts is slow: the senders find out what the line takes.
		await this.lasts(4_000);
	}

	/** Until each is in the program by that leg. */
	async untilLegsAre(leg: "real-time" | "stream"): Promise<void> {
		await waitFor(`everybody by ${leg}`, WITHIN_MS, async () => {
			const { people } = await this.broadcast.compositorStats();
			return (people.length > 1 && people.every((person) => person.leg === leg)) || undefined;
		});
	}

	/** Until nothing comes by the host's stream leg any more. */
	async untilHostSleeps(): Promise<void> {
		await waitFor("the host's stream to sleep", WITHIN_MS, async () => {
			const { sources } = routerSchema.parse(
				await this.system.api.call("GET", `/api/broadcasts/${this.broadcast.id}/stats`),
			);
			const host = sources.find(({ stream }) => stream === "host");
			return (host?.publisherConnected && (host.lastTagAgeMs ?? 0) > ASLEEP_AFTER_MS) || undefined;
		});
	}

	async killCompositor(): Promise<void> {
		this.#fenceBefore = (await this.broadcast.stats()).compositor.fence ?? 0;
		// Of all that work it is the oldest: it was warm before anybody came.
		const { pids } = await busyBrowserOf([process.pid]);
		signalAll(pids, "SIGKILL");
	}

	async untilComposedAnew(): Promise<void> {
		await waitFor("another compositor", WITHIN_MS, async () => {
			const { compositor } = await this.broadcast.stats();
			return (compositor.fence ?? 0) > this.#fenceBefore || undefined;
		});
		await this.untilProgramIs("composite");
	}

	/** Until each sees the other. */
	async untilTheyTalk(): Promise<void> {
		for (const talker of TALKERS) {
			await waitFor(`the ${talker} to see the other`, WITHIN_MS, async () => {
				const { seen, heardAtMs } = await this.person(talker).readings();
				return (seen.length > 0 && heardAtMs.length > 0) || undefined;
			});
		}
	}

	/** Until both pages say that one is seen and heard by another way than directly. */
	async untilPagesTellOfDetour(): Promise<void> {
		for (const talker of TALKERS) {
			await waitFor(`the ${talker}'s page to tell of another way`, WITHIN_MS, async () => {
				return (await this.person(talker).words()).includes("by way of the server") || undefined;
			});
		}
	}

	/** What comes from here on counts. */
	async measureFromHere(): Promise<void> {
		this.#fromMs = performance.now();
		this.#packetsBefore = this.proxy.counts;
		for (const [talker, person] of this.#people) {
			await person.readings();
			this.#before.set(talker, await person.heardFigures());
		}
	}

	async lasts(ms: number): Promise<void> {
		await sleep(ms);
	}

	/** What came until here counts. */
	async measureToHere(): Promise<void> {
		this.#toMs = performance.now();
		const { carried, lost } = this.proxy.counts;
		this.#packets = { carried: carried - this.#packetsBefore.carried, lost: lost - this.#packetsBefore.lost };
		for (const talker of this.#people.keys()) {
			await this.#measure(talker);
		}
	}

	/** Whoever has left was measured before they did. */
	async #measure(talker: Talker): Promise<void> {
		const before = this.#before.get(talker);
		if (before !== undefined) {
			const person = this.person(talker);
			this.#measured.set(talker, personFigures(await person.readings(), before, await person.heardFigures()));
			this.#before.delete(talker);
		}
	}

	/** Ends the broadcast, and judges what the destination got. */
	async finish(): Promise<TalkResult> {
		const stats = await this.broadcast.compositorStats().catch(() => undefined);
		await this.broadcast.end();
		await waitFor(
			"the destination to hear of the end",
			WITHIN_MS,
			() => this.destination.sessions.every(({ endedAtMs }) => endedAtMs !== undefined) || undefined,
		);
		const timeline = await decodeReceived(this.destination.sessions, {
			width: PROGRAM.width,
			height: PROGRAM.height,
			places: placesOfEverybody(),
			tonesHz: TALKERS.map((talker) => MARKS[talker].toneHz),
		});
		const program = programFigures(
			timeline,
			{
				fromMs: this.#fromMs,
				toMs: this.#toMs,
				hostId: MARKS.host.id,
				ids: TALKERS.map((talker) => MARKS[talker].id),
				frameRate: PROGRAM.frameRate,
			},
			performance.timeOrigin,
		);
		const people = stats?.people ?? [];
		return {
			host: this.#measured.get("host"),
			guest: this.#measured.get("guest"),
			program,
			keyFrameRequests: people.reduce((sum, { realTime }) => sum + (realTime?.keyFrameRequests ?? 0), 0),
			legs: Object.fromEntries(people.map(({ id, leg }) => [id, leg ?? "none"])),
			packets: this.#packets,
			wentByProxy: !this.#isProxied || this.proxy.counts.carried + this.proxy.counts.lost > 0,
		};
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#undo.disposeAsync();
	}

	async #open(talker: Talker, link: string, proxied: boolean, network?: GuestNetwork): Promise<TalkPerson> {
		const proxy = proxied ? this.proxy : undefined;
		this.#isProxied ||= proxied;
		const person = this.#undo.use(await TalkPerson.open(talker, link, proxy, network));
		this.#people.set(talker, person);
		if (this.#fromMs > 0) {
			this.#before.set(talker, await person.heardFigures());
		}
		return person;
	}
}

/** Alone, and side by side. */
function placesOfEverybody(): Rect[] {
	const together = layOut(LAYOUT, PROGRAM, TALKERS).places.map(({ rect }) => rect);
	return [{ x: 0, y: 0, width: PROGRAM.width, height: PROGRAM.height }, ...together];
}
