import type { CompositorAssignment, CompositorPageStatus } from "../../worker/protocol/pool-messages.ts";

/** Page → pipeline worker. */
export type ToPipeline =
	| { readonly type: "start"; readonly assignment: CompositorAssignment }
	| { readonly type: "stop" };

/** Pipeline worker → page. */
export type FromPipeline =
	| { readonly type: "status"; readonly status: CompositorPageStatus }
	| { readonly type: "log"; readonly level: "info" | "warn"; readonly text: string };
