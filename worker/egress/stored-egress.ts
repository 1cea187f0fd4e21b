import type { Env } from "../env.ts";
import type { EgressCarryOver } from "../protocol/egress-jobs.ts";
import type { EgressStatus } from "../protocol/egress-status.ts";
import type { EgressConfig } from "../protocol/object-rpc.ts";
import { type OpenConfig, sealedConfig } from "./destination-address.ts";

const KEY = "egress";

/** What survives eviction. */
export interface StoredEgress {
	readonly config: EgressConfig;
	readonly status: EgressStatus;
	/** The destination has held a session, and so knows the key. */
	readonly held: boolean;
	/** Time at the destination at `savedAtMs`; absent when nothing was ever sent. */
	readonly timeMs?: number;
	readonly savedAtMs: number;
	/** The highest that a runner was asked for with; absent before. */
	readonly fence?: number;
}

export const NEVER_STARTED: EgressStatus = {
	state: "stopped",
	bytes: 0,
	reconnects: 0,
	droppedTags: 0,
	queueMs: 0,
	attempts: 0,
};

/**
 * What was stored; the open address of an older version is sealed and stored so.
 * @throws {SealingError} for an open address when there is no key to seal it with: it stays as it is until there is one
 */
export async function loadEgress(storage: DurableObjectStorage, env: Env): Promise<StoredEgress | undefined> {
	const stored = await storage.get<StoredEgress | (Omit<StoredEgress, "config"> & { readonly config: OpenConfig })>(
		KEY,
	);
	if (stored === undefined || !isOpen(stored)) {
		return stored;
	}
	const sealed = { ...stored, config: await sealedConfig(stored.config, env) };
	await keepEgress(storage, sealed);
	return sealed;
}

export async function keepEgress(storage: DurableObjectStorage, stored: StoredEgress): Promise<void> {
	await storage.put(KEY, stored);
}

/** Where a destination's session goes on after its object was lost: its time went on meanwhile. */
export function carryOver({ status, held, timeMs, savedAtMs }: StoredEgress, nowMs: number): EgressCarryOver {
	const { bytes, reconnects, droppedTags } = status;
	const awayMs = Math.max(0, nowMs - savedAtMs);
	return { ...(timeMs !== undefined && { firstMs: timeMs + awayMs }), held, bytes, reconnects, droppedTags };
}

function isOpen(
	stored: StoredEgress | (Omit<StoredEgress, "config"> & { readonly config: OpenConfig }),
): stored is Omit<StoredEgress, "config"> & { readonly config: OpenConfig } {
	return "url" in stored.config;
}
