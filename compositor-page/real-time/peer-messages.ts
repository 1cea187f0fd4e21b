import type { RealTimeStats } from "../../worker/protocol/compositor-stats.ts";
import type { PersonId } from "../../worker/protocol/roles.ts";
import type { IceServer, Signal } from "../../worker/protocol/signaling.ts";

/** Of one connection, as the page sees it. */
export type PeerFiguresRead = Omit<RealTimeStats, "keyFrameRequests" | "advice">;

/** Page → pipeline worker, of the connections that only a page can own. */
export type FromPeers =
	| { readonly type: "peer-signal"; readonly to: PersonId; readonly connection: string; readonly signal: Signal }
	| { readonly type: "peer-state"; readonly connection: string; readonly connected: boolean }
	| { readonly type: "peer-figures"; readonly connection: string; readonly figures: PeerFiguresRead }
	/** The page let go of it by itself. */
	| { readonly type: "peer-gone"; readonly connection: string }
	| { readonly type: "peer-problem"; readonly text: string };

/** Pipeline worker → page. */
export type ToPeers =
	/** For connections that are made from now on, and for those that restart. */
	| { readonly type: "ice-servers"; readonly iceServers: readonly IceServer[] }
	/** What a person said of a connection; an offer makes one. */
	| { readonly type: "signal"; readonly person: PersonId; readonly connection: string; readonly signal: Signal }
	| { readonly type: "close"; readonly connection: string };

/** What the page hands to the worker with each receiver (`RTCRtpScriptTransform`). */
export interface TapTicket {
	readonly person: PersonId;
	readonly connection: string;
	readonly track: "audio" | "video";
}
