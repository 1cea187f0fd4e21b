import { z } from "zod";
import { type IceServer, iceServerSchema } from "../protocol/signaling.ts";
import { type TurnKey, type TurnPorts, turnCredentials } from "./cloudflare-turn.ts";
import { configuredServers } from "./configured-servers.ts";

/** New credentials are there this long before the old ones run out: enough for a service that is down for a while. */
const RENEW_BEFORE_MS = 30 * 60_000;
/** A service that said no is not asked again by everybody who joins meanwhile, nor do they wait for it. */
const ASK_AGAIN_AFTER_MS = 60_000;

/** Settings of the Worker. */
export interface IceSettings {
	/** JSON, an array of `RTCIceServer`: for everybody as they are. */
	readonly ICE_SERVERS?: string;
	/** Of a key of Cloudflare's TURN service; with its token only. */
	readonly TURN_KEY_ID?: string;
	readonly TURN_KEY_API_TOKEN?: string;
}

/** What one connection has of its own, beside what is configured for everybody. Kept with its socket. */
export const iceGrantSchema = z.object({
	servers: z.array(iceServerSchema),
	/** When their credentials run out; absent where there are none. */
	untilMs: z.number().optional(),
	/** When to ask for others. */
	renewAtMs: z.number(),
});
export type IceGrant = z.infer<typeof iceGrantSchema>;

export interface IceDeskPorts extends TurnPorts {
	/** Never told a secret. */
	report(fault: string): void;
}

/** By the setting's text, which stays the same for as long as an isolate lives: what is wrong with it is reported once. */
const known = new Map<string, readonly IceServer[]>();

/** Where those in a call get their ICE servers: the configured ones, and TURN credentials that are one connection's alone. */
export class IceDesk {
	readonly configured: readonly IceServer[];
	readonly #ports: IceDeskPorts;
	readonly #key: TurnKey | undefined;
	#silentUntilMs = 0;

	constructor(settings: IceSettings, ports: IceDeskPorts) {
		const { ICE_SERVERS: text = "" } = settings;
		this.configured = known.get(text) ?? configuredServers(text, (fault) => ports.report(fault));
		known.set(text, this.configured);
		this.#ports = ports;
		this.#key = turnKeyOf(settings);
	}

	/** Whether there are credentials to be had. */
	get grants(): boolean {
		return this.#key !== undefined;
	}

	/**
	 * Credentials of this connection's own; `undefined` where the deployment has none to give. Never rejects, and takes no longer than the service is given: without
	 * its answer the grant is empty, which is reported.
	 */
	async grant(nowMs: number): Promise<IceGrant | undefined> {
		if (this.#key === undefined) {
			return undefined;
		}
		if (nowMs < this.#silentUntilMs) {
			return { servers: [], renewAtMs: this.#silentUntilMs };
		}
		try {
			const { servers, untilMs } = await turnCredentials(this.#key, this.#ports, nowMs);
			return { servers: [...servers], untilMs, renewAtMs: untilMs - RENEW_BEFORE_MS };
		} catch (error) {
			this.#silentUntilMs = nowMs + ASK_AGAIN_AFTER_MS;
			this.#ports.report(error instanceof Error ? error.message : String(error));
			return { servers: [], renewAtMs: this.#silentUntilMs };
		}
	}

	/** Of a grant that is to be renewed and cannot be yet: it counts until it runs out. */
	kept(grant: IceGrant, refused: IceGrant): IceGrant {
		const counts = refused.servers.length === 0 && (grant.untilMs ?? 0) > refused.renewAtMs;
		return counts ? { ...grant, renewAtMs: refused.renewAtMs } : refused;
	}
}

function turnKeyOf({ TURN_KEY_ID: id = "", TURN_KEY_API_TOKEN: apiToken = "" }: IceSettings): TurnKey | undefined {
	return id.trim() === "" || apiToken.trim() === "" ? undefined : { id: id.trim(), apiToken: apiToken.trim() };
}
