import type { PersonId } from "../../../worker/protocol/roles.ts";
import type { RateAdvice } from "../../../worker/protocol/signaling.ts";
import type { Notice, StreamLegState } from "../session-types.ts";

export interface StreamLegOptions {
	/** Such as `https://tandem.example`. */
	readonly apiUrl: string;
	readonly broadcastId: string;
	readonly person: PersonId;
	readonly token: string;
	/** This publisher stops sending when it is told that nobody needs it, and begins again when it is told so. */
	readonly sleeps: boolean;
}

/** What a notice of one kind is over with. */
export interface ResolvedNotice {
	readonly code: Notice["code"];
	readonly resolved: true;
}

/** One after the other: what comes from an older source of the same kind is passed over. */
interface Sourced {
	readonly source: number;
}

/** Page → worker. */
export type ToStreamLeg =
	| { readonly type: "start"; readonly options: StreamLegOptions }
	/** A source of pictures; without `frames` they come as messages of their own. `mayCut`: its edges may be cut away to fill the broadcast's shape. */
	| (Sourced & {
			readonly type: "video";
			readonly frames?: ReadableStream<VideoFrame> | MediaStreamTrack;
			readonly mayCut: boolean;
	  })
	| (Sourced & { readonly type: "picture"; readonly frame: VideoFrame })
	/** A source of sound; `blocks` gives {@link SoundBlock}s where the worker cannot read it itself. */
	| (Sourced & { readonly type: "audio"; readonly blocks: ReadableStream<AudioData> | MessagePort })
	/** That source gives something, or it does not: muted, ended, switched off. */
	| (Sourced & { readonly type: "flows"; readonly track: "audio" | "video"; readonly flows: boolean })
	/** There is no source of that kind any more. */
	| { readonly type: "none"; readonly track: "audio" | "video" }
	| { readonly type: "rate"; readonly advice?: RateAdvice }
	| { readonly type: "close" };

/** Audio worklet → worker: sound as it was captured, a plane a channel. */
export interface SoundBlock {
	readonly timestampUs: number;
	readonly sampleRate: number;
	readonly channels: readonly Float32Array[];
}

/** Worker → page. */
export type FromStreamLeg =
	| { readonly type: "state"; readonly state: StreamLegState }
	| { readonly type: "notice"; readonly notice: Notice | ResolvedNotice }
	| { readonly type: "closed" };
