import type { EncodedFrame } from "../../media/encoded-frame.ts";
import { msToUs } from "../../media/units.ts";
import type { ControlEvent } from "../../worker/protocol/control-messages.ts";
import { PERSON_IDS, type PersonId } from "../../worker/protocol/roles.ts";
import type { RateAdvice, Signal } from "../../worker/protocol/signaling.ts";
import type { Cast } from "../people/cast.ts";
import type { FromPeers, PeerFiguresRead, ToPeers } from "./peer-messages.ts";
import type { StandInFrames } from "./stand-in-frames.ts";
import { Tap, type Transformer } from "./tap.ts";

/** Whose frames have not come for this long has no real-time media any more. */
const MEDIA_WITHIN_US = msToUs(2_000);

type CallEvent = Extract<ControlEvent, { type: "call" }>;
type SignalEvent = Extract<ControlEvent, { type: "signal" }>;

export interface RealTimeFeedsOptions {
	readonly standIns: StandInFrames;
	/** Undefined until there is one: what comes before is not kept. */
	cast(): Cast | undefined;
	toPeers(message: ToPeers): void;
	signal(to: PersonId, connection: string, signal: Signal): void;
	/** Whose media comes by WebRTC, on each change. */
	onMedia(people: readonly PersonId[]): void;
	onProblem(reason: string): void;
	nowUs(): number;
	readonly originUs: number;
}

interface Feed {
	readonly person: PersonId;
	readonly tap: Tap;
	connected: boolean;
	atUs: number;
	figures: PeerFiguresRead | undefined;
	advice: RateAdvice | undefined;
}

/** Everyone's WebRTC media, as the worker sees it: one tap a connection, of which each person's newest that flows is heard. */
export class RealTimeFeeds {
	readonly #options: RealTimeFeedsOptions;
	readonly #feeds = new Map<string, Feed>();
	readonly #heard = new Map<PersonId, string>();
	#media: readonly PersonId[] = [];

	constructor(options: RealTimeFeedsOptions) {
		this.#options = options;
	}

	takeCall({ peers, iceServers }: CallEvent): void {
		this.#options.toPeers({ type: "call", peers, iceServers });
	}

	takeSignal({ from, connection, signal }: SignalEvent): void {
		if (from !== "compositor") {
			this.#options.toPeers({ type: "signal", person: from, connection, signal });
		}
	}

	/** A receiver's frames come here from now on. */
	attach(transformer: Transformer & { readonly options?: unknown }): void {
		const { person, connection, track } = transformer.options as {
			person: PersonId;
			connection: string;
			track: "audio" | "video";
		};
		this.#feed(person, connection).tap.attach(track, transformer);
	}

	fromPeers(message: FromPeers): void {
		switch (message.type) {
			case "peer-signal":
				this.#options.signal(message.to, message.connection, message.signal);
				return;
			case "peer-state":
				this.#feed(message.person, message.connection).connected = message.connected;
				this.#tellConnected(message.person);
				return;
			case "peer-figures":
				this.#feed(message.person, message.connection).figures = message.figures;
				return;
			case "peer-gone":
				this.#gone(message.connection);
				return;
			case "peer-problem":
				this.#options.onProblem(`real-time: ${message.text}`);
		}
	}

	/** Asks whoever the person is heard by for a key frame. */
	requestKeyFrame(person: PersonId): void {
		const newest = [...this.#feeds.values()].findLast((feed) => feed.person === person);
		this.#heardFeed(person)?.tap.requestKeyFrame();
		if (newest !== this.#heardFeed(person)) {
			newest?.tap.requestKeyFrame();
		}
	}

	/** What the person's sender is asked to keep to. */
	advise(person: PersonId, advice: RateAdvice): void {
		for (const [connection, feed] of this.#feeds) {
			if (feed.person === person) {
				feed.advice = advice;
				this.#options.signal(person, connection, { kind: "rate", advice });
			}
		}
	}

	figuresOf(person: PersonId): (PeerFiguresRead & { readonly keyFrameRequests: number }) | undefined {
		const feed = this.#heardFeed(person) ?? [...this.#feeds.values()].findLast((each) => each.person === person);
		return feed?.figures === undefined
			? undefined
			: {
					...feed.figures,
					keyFrameRequests: feed.tap.keyFrameRequests,
					...(feed.advice === undefined ? {} : { advice: feed.advice }),
				};
	}

	/** To be called with each output frame. */
	tick(): void {
		for (const { tap } of this.#feeds.values()) {
			tap.tick();
		}
		const nowUs = this.#options.nowUs();
		const there = new Set(
			[...this.#feeds.values()].filter(({ atUs }) => nowUs - atUs < MEDIA_WITHIN_US).map(({ person }) => person),
		);
		const media = PERSON_IDS.filter((person) => there.has(person));
		if (media.join() !== this.#media.join()) {
			this.#media = media;
			this.#options.onMedia(media);
		}
	}

	/** What was said of media before is to be said again: another connection to the Broadcast. */
	sayAgain(): void {
		this.#options.onMedia(this.#media);
	}

	close(): void {
		for (const { tap } of this.#feeds.values()) {
			tap.close();
		}
		this.#feeds.clear();
	}

	#heardFeed(person: PersonId): Feed | undefined {
		return this.#feeds.get(this.#heard.get(person) ?? "");
	}

	#feed(person: PersonId, connection: string): Feed {
		const known = this.#feeds.get(connection);
		if (known !== undefined) {
			return known;
		}
		const { standIns, nowUs, originUs } = this.#options;
		const tap = new Tap({
			standIns,
			nowUs,
			originUs,
			onFrame: (frame, arrivalUs) => this.#takeFrame(connection, frame, arrivalUs),
			onProblem: (reason) => this.#options.onProblem(`${person}: ${reason}`),
		});
		const feed: Feed = {
			person,
			tap,
			connected: false,
			atUs: Number.NEGATIVE_INFINITY,
			figures: undefined,
			advice: undefined,
		};
		this.#feeds.set(connection, feed);
		return feed;
	}

	#takeFrame(connection: string, frame: EncodedFrame, arrivalUs: number): void {
		const feed = this.#feeds.get(connection);
		if (feed === undefined) {
			return;
		}
		const { person } = feed;
		const heard = this.#heard.get(person);
		if (heard !== connection) {
			// The older line is heard until this one has something to go on with.
			const mayTakeOver = heard === undefined || !this.#feeds.has(heard) || (frame.track === "video" && frame.keyFrame);
			if (!mayTakeOver || this.#isOlder(connection, heard)) {
				return;
			}
			this.#heard.set(person, connection);
			this.#tellConnected(person);
		}
		feed.atUs = arrivalUs;
		this.#options.cast()?.pushRealTime(person, frame, arrivalUs);
	}

	/** Connections are known in the order in which they were made. */
	#isOlder(connection: string, heard: string | undefined): boolean {
		const order = [...this.#feeds.keys()];
		return heard !== undefined && order.indexOf(connection) < order.indexOf(heard);
	}

	#tellConnected(person: PersonId): void {
		this.#options.cast()?.setRealTimeConnected(person, this.#heardFeed(person)?.connected === true);
	}

	#gone(connection: string): void {
		const feed = this.#feeds.get(connection);
		feed?.tap.close();
		this.#feeds.delete(connection);
		if (feed !== undefined && this.#heard.get(feed.person) === connection) {
			this.#heard.delete(feed.person);
			this.#tellConnected(feed.person);
		}
	}
}
