import type { CompositorAssignment, CompositorPageStatus } from "../../worker/protocol/pool-messages.ts";
import type { FromPeers, ToPeers } from "../real-time/peer-messages.ts";

/** Page → pipeline worker. */
export type ToPipeline =
	| { readonly type: "start"; readonly assignment: CompositorAssignment }
	| { readonly type: "stop" }
	| { readonly type: "peers"; readonly message: FromPeers };

/** Pipeline worker → page. */
export type FromPipeline =
	| { readonly type: "status"; readonly status: CompositorPageStatus }
	| { readonly type: "log"; readonly level: "info" | "warn"; readonly text: string }
	| { readonly type: "peers"; readonly message: ToPeers };
