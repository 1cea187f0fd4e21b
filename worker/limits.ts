import { createLog } from "./log.ts";

/** A number that whoever deploys may choose: a setting of the Worker (`[vars]` in wrangler.toml). */
export interface Limit {
	/** The setting. */
	readonly setting: string;
	readonly default: number;
	/** What it may be set to; outside of it the rest was never tried. */
	readonly min: number;
	readonly max: number;
	/** For docs/operations.md. */
	readonly what: string;
}

/** Every configurable limit. docs/operations.md shows this table, and a test compares the two. */
export const LIMITS = {
	/** Many times the largest body the API takes: eight destinations with the longest addresses and keys. */
	maxBodyBytes: {
		setting: "MAX_BODY_BYTES",
		default: 64 * 1024,
		min: 1_024,
		max: 1024 * 1024,
		what: "bytes of a request's body",
	},
	/** Each is a row of the list and some objects that sleep most of the time. */
	maxBroadcasts: {
		setting: "MAX_BROADCASTS",
		default: 1_000,
		min: 1,
		max: 1_000_000,
		what: "broadcasts that are not over, by the list of them: some more when many are created at once",
	},
	/** A program leaves for a handful of services at most; each costs a connection and the program's bitrate. */
	maxDestinations: { setting: "MAX_DESTINATIONS", default: 8, min: 0, max: 32, what: "destinations of a broadcast" },
	/** As many as there are layouts for. */
	maxGuests: { setting: "MAX_GUESTS", default: 4, min: 1, max: 4, what: "places for guests in a broadcast" },
	/** Far more than one show's guests; those that are past use make room. */
	maxInvites: { setting: "MAX_INVITES", default: 100, min: 1, max: 1_000, what: "good invites of a broadcast" },
	/** The operator's own system and some services around it. */
	maxWebhooks: { setting: "MAX_WEBHOOKS", default: 5, min: 0, max: 20, what: "webhooks of a broadcast" },
} as const satisfies Record<string, Limit>;

export type LimitName = keyof typeof LIMITS;
export type Limits = Readonly<Record<LimitName, number>>;
/** Settings as they come from outside. */
export type LimitSettings = Readonly<Partial<Record<(typeof LIMITS)[LimitName]["setting"], string>>>;

/** A limit on how often: a binding of the Worker (`[[ratelimits]]` in wrangler.toml), where its number stands. */
export interface RateLimitRule {
	/** As in wrangler.toml. */
	readonly limit: number;
	readonly periodS: 10 | 60;
	readonly per: "token" | "address";
	/** For docs/operations.md. */
	readonly what: string;
}

/** Every limit on how often, by its binding. docs/operations.md and wrangler.toml show the same, and a test compares the three. */
export const RATE_LIMITS = {
	RATE_API: { limit: 600, periodS: 60, per: "token", what: "requests with a token, sockets aside" },
	RATE_CREATE: { limit: 60, periodS: 60, per: "token", what: "broadcasts created" },
	RATE_WRONG_TOKENS: {
		limit: 30,
		periodS: 60,
		per: "address",
		what: "requests and sockets with a wrong token or invite; a right one is let in all the same",
	},
	RATE_PUBLIC: { limit: 300, periodS: 60, per: "address", what: "requests and sockets that need no token" },
} as const satisfies Record<string, RateLimitRule>;

export type RateLimitBinding = keyof typeof RATE_LIMITS;

export const DEFAULT_LIMITS = limitsFrom(() => undefined, {});

const log = createLog("limits");
/** An isolate is given the same settings for as long as it lives. */
const known = new WeakMap<LimitSettings, Limits>();

/** The deployment's limits; a setting that makes no sense is written to the log, and its default holds. */
export function limitsOf(env: LimitSettings): Limits {
	const limits = known.get(env) ?? limitsFrom((fault) => log.error(fault), env);
	known.set(env, limits);
	return limits;
}

/** @param report told what is wrong with a setting, whose default holds */
export function limitsFrom(report: (fault: string) => void, settings: LimitSettings): Limits {
	const value = (limit: Limit & { readonly setting: keyof LimitSettings }): number => {
		const text = settings[limit.setting]?.trim() ?? "";
		if (text === "") {
			return limit.default;
		}
		const number = Number(text);
		if (/^\d{1,9}$/.test(text) && number >= limit.min && number <= limit.max) {
			return number;
		}
		const { setting, min, max } = limit;
		report(
			`limits: expected ${setting} to be a whole number from ${min} to ${max}, got another, so it is ${limit.default}`,
		);
		return limit.default;
	};
	return Object.fromEntries(Object.entries(LIMITS).map(([name, limit]) => [name, value(limit)])) as unknown as Limits;
}
