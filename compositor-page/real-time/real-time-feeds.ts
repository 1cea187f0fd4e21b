import type { EncodedFrame } from "../../media/encoded-frame.ts";
import { msToUs } from "../../media/units.ts";
import type { ClockKind } from "../../playout/real-time/person-clock.ts";
import type { PersonStats } from "../../worker/protocol/compositor-stats.ts";
import type { ControlEvent } from "../../worker/protocol/control-messages.ts";
import { PERSON_IDS, type PersonId } from "../../worker/protocol/roles.ts";
import type { RateAdvice, Signal } from "../../worker/protocol/signaling.ts";
import type { Cast } from "../people/cast.ts";
import type { FromPeers, PeerFiguresRead, TapTicket, ToPeers } from "./peer-messages.ts";
import type { StandInFrames } from "./stand-in-frames.ts";
import { Tap, type Transformer } from "./tap.ts";

/** Whose frames have not come for this long has no real-time media any more. */
const MEDIA_WITHIN_US = msToUs(2_000);
/** An older connection of somebody who has a newer one is heard until that flows, and no longer than this. */
const SUPERSEDED_FOR_US = msToUs(5_000);
/** Somebody whose newer connection brings sound and no picture for so long has no camera; or the older one no longer brings anything. */
const SOUND_ALONE_US = msToUs(1_000);
const OLDER_SILENT_US = msToUs(500);
/** Advice that did not arrive, or a sender that was replaced: it is said again for as long as something is wrong. */
const ADVISE_AGAIN_US = msToUs(5_000);

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
}

interface Feed {
	readonly person: PersonId;
	readonly tap: Tap;
	isConnected: boolean;
	/** Its sender cannot take candidates later: an encoder that speaks WHIP. */
	isWhip: boolean;
	/** When its first frame came, and its latest. */
	sinceUs: number | undefined;
	atUs: number;
	/** From then on it is let go, heard or not. */
	endsAtUs: number;
	figures: PeerFiguresRead | undefined;
}

interface Advised {
	readonly advice: RateAdvice;
	saidAtUs: number;
}

/** Everyone's WebRTC media, as the worker sees it: one tap a connection, of which each person's newest that flows is heard. */
export class RealTimeFeeds {
	readonly #options: RealTimeFeedsOptions;
	/** By connection, in the order in which they were made. */
	readonly #feeds = new Map<string, Feed>();
	readonly #heard = new Map<PersonId, string>();
	readonly #advised = new Map<PersonId, Advised>();
	#media: readonly PersonId[] = [];

	constructor(options: RealTimeFeedsOptions) {
		this.#options = options;
	}

	/** Who is in the call now: whose connection is not among them is let go, once their newer one flows where there is one. */
	takeCall({ peers, iceServers }: CallEvent): void {
		this.#options.toPeers({ type: "ice-servers", iceServers });
		for (const [connection, feed] of this.#feeds) {
			if (peers.some((peer) => peer.connection === connection)) {
				feed.endsAtUs = Number.POSITIVE_INFINITY;
			} else if (peers.some(({ id }) => id === feed.person)) {
				feed.endsAtUs = Math.min(feed.endsAtUs, this.#options.nowUs() + SUPERSEDED_FOR_US);
			} else {
				this.#close(connection);
			}
		}
	}

	takeSignal({ from, connection, signal }: SignalEvent): void {
		if (from === "compositor") {
			return;
		}
		if (signal.kind === "bye") {
			this.#close(connection);
			return;
		}
		if (signal.kind === "description" && signal.type === "offer") {
			const feed = this.#feed(from, connection);
			feed.isWhip = signal.complete === true;
		}
		this.#options.toPeers({ type: "signal", person: from, connection, signal });
	}

	/** A receiver's frames come here from now on. */
	attach(transformer: Transformer, { connection, track }: TapTicket): void {
		this.#feeds.get(connection)?.tap.attach(track, transformer);
	}

	fromPeers(message: FromPeers): void {
		switch (message.type) {
			case "peer-signal":
				this.#options.signal(message.to, message.connection, message.signal);
				return;
			case "peer-state": {
				const feed = this.#feeds.get(message.connection);
				if (feed !== undefined) {
					feed.isConnected = message.connected;
					this.#tellConnected(feed.person);
					if (message.connected) {
						this.#sayAdvice(feed.person);
					}
				}
				return;
			}
			case "peer-figures": {
				const feed = this.#feeds.get(message.connection);
				if (feed !== undefined) {
					feed.figures = message.figures;
				}
				return;
			}
			case "peer-gone":
				this.#forget(message.connection);
				return;
			case "peer-problem":
				this.#options.onProblem(`real-time: ${message.text}`);
				return;
			default:
				message satisfies never;
		}
	}

	/** Has the person's sender make a key frame, if they come by WebRTC. */
	wantKeyFrame(person: PersonId): void {
		this.#currentFeed(person)?.tap.wantKeyFrame();
	}

	/** What the person's sender is asked to keep to; an advice without a limit ends one. */
	advise(person: PersonId, advice: RateAdvice): void {
		this.#advised.set(person, { advice, saidAtUs: Number.NEGATIVE_INFINITY });
		this.#sayAdvice(person);
	}

	/** What is known of the way the person comes. */
	figuresOf(person: PersonId): Pick<PersonStats, "leg" | "realTime"> {
		const feed = this.#currentFeed(person);
		const leg = this.#options.cast()?.legOf(person);
		const advice = this.#advised.get(person)?.advice;
		const isLimited = advice !== undefined && Object.keys(advice).length > 0;
		return {
			...(leg === undefined ? {} : { leg: leg === "real-time" && feed?.isWhip === true ? "whip" : leg }),
			...(feed?.figures === undefined
				? {}
				: {
						realTime: {
							...feed.figures,
							keyFrameRequests: feed.tap.keyFrameRequests,
							...(isLimited ? { advice } : {}),
						},
					}),
		};
	}

	/** To be called with each output frame. */
	tick(): void {
		const nowUs = this.#options.nowUs();
		for (const [connection, { tap, endsAtUs }] of this.#feeds) {
			tap.tick();
			if (nowUs >= endsAtUs) {
				this.#close(connection);
			}
		}
		for (const [person, { advice, saidAtUs }] of this.#advised) {
			if (advice.reason !== undefined && nowUs - saidAtUs >= ADVISE_AGAIN_US) {
				this.#sayAdvice(person);
			}
		}
		const media = PERSON_IDS.filter((person) => {
			const feed = this.#heardFeed(person);
			return feed !== undefined && nowUs - feed.atUs < MEDIA_WITHIN_US;
		});
		if (media.join() !== this.#media.join()) {
			this.#media = media;
			this.#options.onMedia(media);
		}
	}

	/** What was said of media before is to be said again: another connection to the Broadcast. */
	sayAgain(): void {
		this.#options.onMedia(this.#media);
	}

	/** Lets go of all; may be called twice. */
	close(): void {
		for (const connection of [...this.#feeds.keys()]) {
			this.#close(connection);
		}
	}

	#heardFeed(person: PersonId): Feed | undefined {
		return this.#feeds.get(this.#heard.get(person) ?? "");
	}

	/** The one that is heard, or the newest. */
	#currentFeed(person: PersonId): Feed | undefined {
		return this.#heardFeed(person) ?? [...this.#feeds.values()].findLast((each) => each.person === person);
	}

	#sayAdvice(person: PersonId): void {
		const advised = this.#advised.get(person);
		if (advised === undefined) {
			return;
		}
		advised.saidAtUs = this.#options.nowUs();
		for (const [connection, feed] of this.#feeds) {
			if (feed.person === person) {
				this.#options.signal(person, connection, { kind: "rate", advice: advised.advice });
			}
		}
	}

	#feed(person: PersonId, connection: string): Feed {
		const known = this.#feeds.get(connection);
		if (known !== undefined) {
			return known;
		}
		const { standIns, nowUs } = this.#options;
		const tap = new Tap({
			standIns,
			nowUs,
			onFrame: (frame, arrivalUs, clock) => this.#takeFrame(connection, frame, arrivalUs, clock),
			onProblem: (reason) => this.#options.onProblem(`${person}: ${reason}`),
		});
		const feed: Feed = {
			...{ person, tap, isConnected: false, isWhip: false, figures: undefined },
			...{ sinceUs: undefined, atUs: Number.NEGATIVE_INFINITY },
			endsAtUs: Number.POSITIVE_INFINITY,
		};
		this.#feeds.set(connection, feed);
		return feed;
	}

	#takeFrame(connection: string, frame: EncodedFrame, arrivalUs: number, clock: ClockKind): void {
		const feed = this.#feeds.get(connection);
		if (feed === undefined) {
			return;
		}
		const { person } = feed;
		const cast = this.#options.cast();
		const heard = this.#heard.get(person);
		feed.sinceUs ??= arrivalUs;
		feed.atUs = arrivalUs;
		if (heard !== connection) {
			if (this.#isOlder(connection, heard) || !this.#mayBeHeard(feed, frame, heard)) {
				return;
			}
			this.#heard.set(person, connection);
			if (heard !== undefined) {
				cast?.realTimeReplaced(person);
				this.#close(heard);
			}
			this.#tellConnected(person);
		}
		cast?.pushRealTime(person, frame, arrivalUs, clock);
	}

	/** It brings something to go on with, or more than the older one. */
	#mayBeHeard({ sinceUs, atUs }: Feed, frame: EncodedFrame, heard: string | undefined): boolean {
		const older = this.#feeds.get(heard ?? "");
		if (older === undefined || (frame.track === "video" && frame.keyFrame)) {
			return true;
		}
		return atUs - older.atUs > OLDER_SILENT_US || atUs - (sinceUs ?? atUs) > SOUND_ALONE_US;
	}

	#isOlder(connection: string, than: string | undefined): boolean {
		const order = [...this.#feeds.keys()];
		return than !== undefined && order.indexOf(connection) < order.indexOf(than);
	}

	#tellConnected(person: PersonId): void {
		this.#options.cast()?.setRealTimeConnected(person, this.#heardFeed(person)?.isConnected === true);
	}

	#close(connection: string): void {
		if (this.#feeds.has(connection)) {
			this.#options.toPeers({ type: "close", connection });
			this.#forget(connection);
		}
	}

	#forget(connection: string): void {
		const feed = this.#feeds.get(connection);
		if (feed === undefined) {
			return;
		}
		feed.tap.close();
		this.#feeds.delete(connection);
		if (this.#heard.get(feed.person) === connection) {
			this.#heard.delete(feed.person);
			this.#tellConnected(feed.person);
		}
	}
}
