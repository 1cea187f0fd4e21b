import { z } from "zod";
import { type IceServer, iceServerSchema } from "../protocol/signaling.ts";

/** Long enough for a show, and a copied credential is worthless the next day. */
export const TURN_TTL_S = 12 * 3_600;
/** New ones are made when less than this is left. */
const RENEW_BEFORE_MS = 3_600_000;
/** A call must not wait for it: most lines need no TURN server. */
const TURN_WITHIN_MS = 3_000;
/** A service that said no is not asked again by every connection. */
const ASK_AGAIN_AFTER_MS = 30_000;
const TURN_API = "https://rtc.live.cloudflare.com/v1/turn/keys";

export interface IceSettings {
	/** JSON: an array of `RTCIceServer`, such as `[{"urls":["stun:stun.example:3478"]}]`. */
	readonly ICE_SERVERS?: string;
	/** Of a Cloudflare TURN key; with its token only. */
	readonly TURN_KEY_ID?: string;
	readonly TURN_KEY_API_TOKEN?: string;
}

export interface IcePorts {
	readonly fetch: typeof fetch;
	readonly nowMs: () => number;
	/** Never with a secret in it. */
	readonly report: (message: string) => void;
}

export interface GivenIceServers {
	readonly servers: readonly IceServer[];
	/** When their credentials run out, in Unix milliseconds. */
	readonly untilMs?: number;
}

const configuredSchema = z.array(
	iceServerSchema.extend({ urls: z.union([z.string().transform((url) => [url]), z.array(z.string()).min(1)]) }),
);
const turnAnswerSchema = z.object({ iceServers: z.union([configuredSchema, configuredSchema.element]) });

/**
 * The ICE servers of one broadcast: those of the configuration, and Cloudflare TURN with credentials made for each person, which nobody else has
 * and which run out. What cannot be had is left out and reported: a direct line may do without.
 */
export class IceServers {
	readonly #settings: IceSettings;
	readonly #ports: IcePorts;
	readonly #made = new Map<string, { readonly servers: readonly IceServer[]; readonly untilMs: number }>();
	readonly #asking = new Map<string, Promise<void>>();
	#configured: readonly IceServer[] | undefined;
	#askAgainAtMs = 0;

	constructor(settings: IceSettings, ports: IcePorts) {
		this.#settings = settings;
		this.#ports = ports;
	}

	/** @param name of whom the credentials are: a person of a broadcast */
	async forPerson(name: string): Promise<GivenIceServers> {
		this.#configured ??= this.#readConfigured();
		const { TURN_KEY_ID: keyId, TURN_KEY_API_TOKEN: apiToken } = this.#settings;
		if (keyId === undefined || keyId === "" || apiToken === undefined || apiToken === "") {
			return { servers: this.#configured };
		}
		const nowMs = this.#ports.nowMs();
		if ((this.#made.get(name)?.untilMs ?? 0) - nowMs < RENEW_BEFORE_MS && nowMs >= this.#askAgainAtMs) {
			const asking = this.#asking.get(name) ?? this.#make(name, keyId, apiToken);
			this.#asking.set(name, asking);
			await asking;
			this.#asking.delete(name);
		}
		const made = this.#made.get(name);
		return made === undefined || made.untilMs <= this.#ports.nowMs()
			? { servers: this.#configured }
			: { servers: [...this.#configured, ...made.servers], untilMs: made.untilMs };
	}

	/** `POST …/generate-ice-servers` (Cloudflare Realtime TURN, "Generate credentials"). Never rejects. */
	async #make(name: string, keyId: string, apiToken: string): Promise<void> {
		try {
			const answer = await this.#ports.fetch(
				`${TURN_API}/${encodeURIComponent(keyId)}/credentials/generate-ice-servers`,
				{
					method: "POST",
					headers: { Authorization: `Bearer ${apiToken}`, "Content-Type": "application/json" },
					body: JSON.stringify({ ttl: TURN_TTL_S, customIdentifier: name }),
					signal: AbortSignal.timeout(TURN_WITHIN_MS),
				},
			);
			if (!answer.ok) {
				throw new Error(`expected credentials, got HTTP ${answer.status}`);
			}
			const { iceServers } = turnAnswerSchema.parse(await answer.json());
			const servers = (Array.isArray(iceServers) ? iceServers : [iceServers]).map(withoutBlockedPorts);
			this.#made.set(name, { servers, untilMs: this.#ports.nowMs() + TURN_TTL_S * 1_000 });
		} catch (error) {
			this.#askAgainAtMs = this.#ports.nowMs() + ASK_AGAIN_AFTER_MS;
			// A schema's complaint would hold what came, and so a credential.
			const why = error instanceof z.ZodError ? "expected iceServers, got another answer" : messageOf(error);
			this.#ports.report(`turn: ${why}`);
		}
	}

	#readConfigured(): readonly IceServer[] {
		const text = this.#settings.ICE_SERVERS ?? "";
		if (text.trim() === "") {
			return [];
		}
		try {
			return configuredSchema.parse(JSON.parse(text)).map(({ urls, username, credential }) => ({
				urls,
				...(username === undefined ? {} : { username }),
				...(credential === undefined ? {} : { credential }),
			}));
		} catch {
			this.#ports.report(
				"ice: expected ICE_SERVERS to be JSON, an array of {urls, username?, credential?}, got another",
			);
			return [];
		}
	}
}

/** Browsers refuse port 53 and wait for it in vain. */
function withoutBlockedPorts({ urls, username, credential }: z.infer<typeof iceServerSchema>): IceServer {
	return {
		urls: urls.filter((url) => !/:53(\?|$)/.test(url)),
		...(username === undefined ? {} : { username }),
		...(credential === undefined ? {} : { credential }),
	};
}

function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}
