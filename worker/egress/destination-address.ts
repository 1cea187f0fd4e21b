import { z } from "zod";
import { type SealingEnv, SealingError, seal, unseal } from "../auth/sealing.ts";
import type { PublishTarget } from "../protocol/egress-jobs.ts";
import type { EgressConfig } from "../protocol/object-rpc.ts";

const addressSchema = z.object({ url: z.string(), streamKey: z.string().exactOptional() });

/** As an older version of the system stored it: with the address open. */
export interface OpenConfig extends Omit<EgressConfig, "sealedAddress" | "via"> {
	readonly url: string;
	readonly streamKey?: string;
}

/** What the sealed address of a broadcast's destination is bound to. */
function useOf(broadcastId: string): string {
	return `destination:${broadcastId}`;
}

/**
 * The target with its address opened, for dialling and nothing else.
 * @throws {SealingError} when it was sealed for another broadcast, with a key that is gone, or was changed; says nothing of the address
 */
export async function openedTarget(config: EgressConfig, env: SealingEnv): Promise<PublishTarget> {
	const { width, height, frameRate, videoBitrateBps, audioBitrateBps } = config;
	const address = JSON.parse(await unseal(config.sealedAddress, env, useOf(config.broadcastId)));
	return { ...addressSchema.parse(address), width, height, frameRate, videoBitrateBps, audioBitrateBps };
}

/** The configuration of an older version with its address sealed. */
export async function sealedConfig(config: OpenConfig, env: SealingEnv): Promise<EgressConfig> {
	const { url, streamKey, ...rest } = config;
	const address = JSON.stringify({ url, ...(streamKey !== undefined && { streamKey }) });
	return { ...rest, via: "edge", sealedAddress: await seal(address, env, useOf(config.broadcastId)) };
}

/** Whether both publish the same to the same place. One address is sealed in many ways. */
export async function sameConfig(a: EgressConfig, b: EgressConfig, env: SealingEnv): Promise<boolean> {
	const { sealedAddress: sealedA, ...restA } = a;
	const { sealedAddress: sealedB, ...restB } = b;
	const keys = Object.keys({ ...restA, ...restB }) as (keyof typeof restA)[];
	if (keys.some((key) => restA[key] !== restB[key])) {
		return false;
	}
	if (sealedA === sealedB) {
		return true;
	}
	try {
		const [one, other] = await Promise.all([openedTarget(a, env), openedTarget(b, env)]);
		return one.url === other.url && one.streamKey === other.streamKey;
	} catch (error) {
		if (error instanceof SealingError) {
			return false;
		}
		throw error;
	}
}
