import type { PersonId } from "../../../worker/protocol/roles.ts";
import type { CallPeer, RateAdvice, Signal } from "../../../worker/protocol/signaling.ts";
import type { LocalMedia, OutgoingTracks } from "../devices/local-media.ts";
import { Uplink } from "../peers/uplink.ts";
import { Alarm } from "../platform/alarm.ts";
import type { Platform, StreamLeg, StreamLegOptions } from "../platform/platform.ts";
import type { SessionState, StreamLegState } from "../session-types.ts";
import { LegChoice, type LegDecision } from "./leg-choice.ts";

/** A stream that another one takes the place of is ended at the latest then. */
const REPLACED_WITHIN_MS = 5_000;

/** What holds for a person's own media. */
export interface Standing {
	readonly isAdmitted: boolean;
	/** This page's own connection to the call; absent before it has one. */
	readonly self: string | undefined;
	readonly compositor: CallPeer | undefined;
	readonly iceServers: RTCIceServer[];
	readonly isHeardByStream: boolean;
}

export interface LegKeeperOptions {
	readonly platform: Platform;
	readonly person: PersonId;
	readonly videoCodec: string;
	readonly media: Pick<LocalMedia, "outgoing">;
	readonly stream: Pick<StreamLegOptions, "apiUrl" | "broadcastId" | "token" | "onNotice">;
	/** @param connection the compositor's */
	send(connection: string, signal: Signal): void;
	onChange(): void;
	onProblem(error: unknown): void;
}

interface Held {
	readonly key: string;
	readonly connection: string;
	readonly uplink: Uplink;
}

/** A person's media on its way to the program: keeps the stream and the connection to the compositor as {@link LegChoice} wants them. */
export class LegKeeper {
	readonly #options: LegKeeperOptions;
	readonly #choice = new LegChoice();
	readonly #alarm: Alarm;
	readonly #replacement: Alarm;
	#standing: Standing | undefined;
	#decision: LegDecision | undefined;
	#held: Held | undefined;
	/** Of a connection id before, until the newer one works. */
	#before: Held | undefined;
	#stream: { readonly leg: StreamLeg; readonly kind: LegDecision["stream"] } | undefined;
	#streamBefore: StreamLeg | undefined;
	#streamState: StreamLegState = "off";
	#advice: RateAdvice | undefined;

	constructor(options: LegKeeperOptions) {
		this.#options = options;
		this.#alarm = new Alarm(options.platform.clock, () => this.#review());
		this.#replacement = new Alarm(options.platform.clock, () => this.#endStreamBefore());
	}

	get legs(): SessionState["legs"] {
		return { stream: this.#streamState, realTime: this.#decision?.realTime ?? "off" };
	}

	/** The stream stands in for real time. */
	get isFallback(): boolean {
		return this.#decision?.fallback === true;
	}

	/** What the compositor asked for, while something is wrong. */
	get advice(): RateAdvice | undefined {
		return this.#advice;
	}

	stand(standing: Standing): void {
		this.#standing = standing;
		if (standing.compositor === undefined) {
			this.#advise(undefined);
		}
		this.#held?.uplink.setIceServers(standing.iceServers);
		this.#review();
	}

	/** @param connection the compositor's, that the signal came from */
	receive(connection: string, signal: Signal): void {
		if (signal.kind === "rate") {
			this.#advise(isEmpty(signal.advice) ? undefined : signal.advice);
			this.#options.onChange();
			return;
		}
		for (const held of [this.#held, this.#before]) {
			if (held?.connection === connection) {
				held.uplink.receive(signal);
				return;
			}
		}
	}

	tracksChanged(): void {
		const tracks = this.#options.media.outgoing;
		this.#held?.uplink.setTracks(tracks);
		this.#before?.uplink.setTracks(tracks);
		this.#stream?.leg.setTracks(streamTracks(tracks));
		this.#streamBefore?.setTracks(streamTracks(tracks));
	}

	signalingResumed(): void {
		this.#held?.uplink.signalingResumed();
	}

	networkChanged(): void {
		this.#choice.networkChanged();
		this.#held?.uplink.networkChanged();
		this.#review();
	}

	/** Resolves when everything is let go of; may be called twice. */
	async close(): Promise<void> {
		this.#standing = undefined;
		this.#alarm.set(undefined);
		this.#replacement.set(undefined);
		this.#dropUplink();
		this.#before?.uplink.close();
		this.#before = undefined;
		const legs = [this.#stream?.leg, this.#streamBefore];
		this.#stream = undefined;
		this.#streamBefore = undefined;
		await Promise.all(legs.map((leg) => leg?.close()));
	}

	#review(): void {
		const standing = this.#standing;
		if (standing === undefined) {
			return;
		}
		const { platform, person } = this.#options;
		const nowMs = platform.clock.nowMs();
		const decision = this.#choice.decide(
			{
				isHost: person === "host",
				isAdmitted: standing.isAdmitted,
				canStream: platform.newStreamLeg !== undefined,
				canRealTime: platform.newPeerConnection !== undefined,
				compositor: standing.compositor,
				line: this.#held?.uplink.state,
				isHeardByStream: standing.isHeardByStream,
			},
			nowMs,
		);
		this.#decision = decision;
		this.#keepUplink(decision, standing);
		this.#keepStream(decision.stream);
		this.#alarm.set(this.#choice.nextMs(nowMs));
		this.#options.onChange();
	}

	#keepUplink({ uplink }: LegDecision, { self, compositor, iceServers }: Standing): void {
		const { newPeerConnection } = this.#options.platform;
		if (!uplink || compositor === undefined || self === undefined || newPeerConnection === undefined) {
			this.#dropUplink();
			return;
		}
		const key = `${self}/${compositor.connection}`;
		if (key !== this.#held?.key) {
			this.#openUplink(newPeerConnection({ iceServers }), key, compositor.connection);
		}
	}

	#openUplink(connection: RTCPeerConnection, key: string, compositor: string): void {
		const { platform, videoCodec, media, send, onProblem } = this.#options;
		this.#before?.uplink.close();
		// Another compositor has nothing of what this one got.
		this.#before = this.#held?.connection === compositor ? this.#held : this.#closed(this.#held);
		const uplink = new Uplink({
			clock: platform.clock,
			connection,
			videoCodec,
			tracks: media.outgoing,
			together: platform.newStream([]),
			advice: this.#advice,
			send: (signal) => send(compositor, signal),
			onState: () => this.#lineChanged(key),
			onBye: () => this.#refused(key),
			onProblem,
		});
		this.#held = { key, connection: compositor, uplink };
	}

	#closed(held: Held | undefined): undefined {
		held?.uplink.close();
		return undefined;
	}

	#lineChanged(key: string): void {
		if (this.#held?.key === key && this.#held.uplink.state !== "connecting") {
			this.#before = this.#closed(this.#before);
		}
		this.#review();
	}

	#refused(key: string): void {
		if (this.#before?.key === key) {
			this.#before = this.#closed(this.#before);
		} else if (this.#held?.key === key) {
			this.#choice.refused(this.#options.platform.clock.nowMs());
			this.#review();
		}
	}

	#dropUplink(): void {
		this.#held = this.#closed(this.#held);
		this.#before = this.#closed(this.#before);
	}

	#keepStream(kind: LegDecision["stream"]): void {
		const { platform, person, stream, media } = this.#options;
		if (kind === (this.#stream?.kind ?? "off")) {
			return;
		}
		const before = this.#stream?.leg;
		this.#stream = undefined;
		if (kind === "off" || platform.newStreamLeg === undefined) {
			this.#endStreamBefore();
			this.#endStream(before);
			this.#streamState = "off";
			return;
		}
		// The newer one takes over at the edge, so the one before goes on until it has.
		this.#endStreamBefore();
		this.#streamBefore = before;
		this.#replacement.set(platform.clock.nowMs() + REPLACED_WITHIN_MS);
		const leg = platform.newStreamLeg({
			...stream,
			person,
			sleeps: kind === "may-sleep",
			onState: (state) => {
				if (this.#stream?.leg === leg) {
					this.#streamChanged(state);
				}
			},
			onNotice: (notice) => {
				if (this.#stream?.leg === leg) {
					stream.onNotice(notice);
				}
			},
		});
		this.#stream = { leg, kind };
		this.#streamState = "connecting";
		leg.setTracks(streamTracks(media.outgoing));
		leg.setRate(this.#advice);
	}

	#streamChanged(state: StreamLegState): void {
		this.#streamState = state;
		if (state === "sending" || state === "asleep") {
			this.#endStreamBefore();
		}
		this.#options.onChange();
	}

	#endStreamBefore(): void {
		this.#replacement.set(undefined);
		this.#endStream(this.#streamBefore);
		this.#streamBefore = undefined;
	}

	#endStream(leg: StreamLeg | undefined): void {
		leg?.close().catch(this.#options.onProblem);
	}

	#advise(advice: RateAdvice | undefined): void {
		this.#advice = advice;
		this.#held?.uplink.setAdvice(advice);
		this.#stream?.leg.setRate(advice);
	}
}

function streamTracks({ picture, audio }: OutgoingTracks): Parameters<StreamLeg["setTracks"]>[0] {
	return { ...(picture && { video: picture }), ...(audio && { audio }) };
}

/** Nothing to keep to: all is well again. */
function isEmpty({ maxHeight, maxFrameRate, maxBitrateBps }: RateAdvice): boolean {
	return maxHeight === undefined && maxFrameRate === undefined && maxBitrateBps === undefined;
}
