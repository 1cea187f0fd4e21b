import type { RealTimeStats } from "../../worker/protocol/compositor-stats.ts";
import type { PersonId } from "../../worker/protocol/roles.ts";
import type { CallPeer, IceServer, Signal } from "../../worker/protocol/signaling.ts";

/** Of one connection, as the page sees it. */
export type PeerFiguresRead = Omit<RealTimeStats, "keyFrameRequests" | "advice">;

/** Page → pipeline worker, of the connections that only a page can own. */
export type FromPeers =
	| { readonly type: "peer-signal"; readonly to: PersonId; readonly connection: string; readonly signal: Signal }
	| {
			readonly type: "peer-state";
			readonly person: PersonId;
			readonly connection: string;
			readonly connected: boolean;
	  }
	| {
			readonly type: "peer-figures";
			readonly person: PersonId;
			readonly connection: string;
			readonly figures: PeerFiguresRead;
	  }
	| { readonly type: "peer-gone"; readonly person: PersonId; readonly connection: string }
	| { readonly type: "peer-problem"; readonly text: string };

/** Pipeline worker → page. */
export type ToPeers =
	| { readonly type: "call"; readonly peers: readonly CallPeer[]; readonly iceServers: readonly IceServer[] }
	| { readonly type: "signal"; readonly person: PersonId; readonly connection: string; readonly signal: Signal };
