import type { IceSettings } from "./ice/ice-desk.ts";
import type { LimitSettings, RateLimitBinding } from "./limits.ts";
import type { AudienceRpc, BroadcastPublicRpc } from "./protocol/audience.ts";
import type { BroadcastCommands } from "./protocol/broadcast-commands.ts";
import type { BroadcastEventsRpc } from "./protocol/broadcast-events.ts";
import type { BroadcastAnswersRpc } from "./protocol/idempotency.ts";
import type { BroadcastRpc, CompositorPoolRpc, EgressRpc, RouterRpc } from "./protocol/object-rpc.ts";
import type { WhipRpc } from "./protocol/whip.ts";

type ObjectNamespace<T> = DurableObjectNamespace<T & Rpc.DurableObjectBranded>;

/** Bindings, settings and secrets of the Worker (wrangler.toml). Secrets are absent until set: whoever needs one fails closed. */
export interface Env extends LimitSettings, IceSettings, Readonly<Partial<Record<RateLimitBinding, RateLimit>>> {
	readonly BROADCAST: ObjectNamespace<
		BroadcastRpc & BroadcastCommands & BroadcastPublicRpc & BroadcastEventsRpc & BroadcastAnswersRpc & WhipRpc
	>;
	readonly ROUTER: ObjectNamespace<RouterRpc>;
	readonly EGRESS: ObjectNamespace<EgressRpc>;
	readonly COMPOSITOR_POOL: ObjectNamespace<CompositorPoolRpc>;
	/** Shards of the people who wait and watch, named `${broadcastId}/${shard}`. */
	readonly AUDIENCE: ObjectNamespace<AudienceRpc>;
	readonly INDEX: D1Database;
	readonly ASSETS?: Fetcher;
	/** Where people point OBS or a hardware encoder, such as `rtmp://127.0.0.1:1935/live`. */
	readonly RTMP_INGEST_URL: string;
	/** "1" lets destinations be private or loopback addresses. */
	readonly ALLOW_PRIVATE_DESTINATIONS?: string;
	/** A webhook that every new broadcast has; with its secret only. */
	readonly WEBHOOK_URL?: string;
	/** `whsec_…` of that webhook; while it is being replaced two with a space between them, the new one first. */
	readonly WEBHOOK_SECRET?: string;
	/** How many shards the audience of each broadcast is spread over. */
	readonly AUDIENCE_SHARDS?: string;
	/** SHA-256 of each token that is the admin's, in lower-case hexadecimal, separated by commas. */
	readonly ADMIN_TOKEN_SHA256?: string;
	/** One such token itself, for local use: a deployment need not know it. */
	readonly ADMIN_TOKEN?: string;
	readonly RUNNER_TOKEN?: string;
	/** Still lets runners in, while they are given the new one. */
	readonly RUNNER_TOKEN_PREVIOUS?: string;
	/** 32 bytes or more: role tokens are signed with it. */
	readonly SIGNING_KEY?: string;
	/** What was signed with it still counts. */
	readonly SIGNING_KEY_PREVIOUS?: string;
	/** 32 random bytes in base64: what is sealed at rest is sealed with it (auth/sealing.ts). */
	readonly ENCRYPTION_KEY?: string;
	/** Still opens what was sealed with it, after ENCRYPTION_KEY was replaced. */
	readonly ENCRYPTION_KEY_PREVIOUS?: string;
}
