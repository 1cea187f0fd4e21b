import type { Context, MiddlewareHandler } from "hono";
import { credentialOf } from "../auth/credential.ts";
import { sha256Hex } from "../auth/secret.ts";
import { RATE_LIMITS, type RateLimitBinding } from "../limits.ts";
import { createLog } from "../log.ts";
import type { Outcome } from "../protocol/problem.ts";
import type { ApiEnv } from "./api-app.ts";
import { ApiProblem, valueFrom } from "./api-problem.ts";

/** Where Cloudflare did not say who asks: locally, and between Workers. */
const UNKNOWN_ADDRESS = "unknown";

const log = createLog("api");

/** For routes that need no token: so many requests an address. */
export function limitAddress(): MiddlewareHandler<ApiEnv> {
	return async (c, next) => {
		await takeTurn(c, "RATE_PUBLIC", clientAddress(c.req.raw.headers));
		await next();
	};
}

/** So many new broadcasts a token; repetitions that are answered from memory aside. */
export function limitCreation(): MiddlewareHandler<ApiEnv> {
	return async (c, next) => {
		await limitToken(c, credentialOf(c.req.raw, { query: false }) ?? "", "RATE_CREATE");
		await next();
	};
}

/** So many requests a token, by `binding`. */
export async function limitToken(
	c: Context<ApiEnv>,
	token: string,
	binding: "RATE_API" | "RATE_CREATE",
): Promise<void> {
	await takeTurn(c, binding, await sha256Hex(token));
}

/**
 * What a token or a code was found to be. Wrong ones are counted by address, and past the limit said to be too many instead of wrong; whoever
 * shares the address and has a right one does not notice.
 * @throws {ApiProblem} for a wrong one
 */
export async function recognised<T>(c: Context<ApiEnv>, token: string | undefined, outcome: Outcome<T>): Promise<T> {
	if (!outcome.ok && outcome.refusal.kind === "unauthorized" && token !== undefined) {
		await takeTurn(c, "RATE_WRONG_TOKENS", clientAddress(c.req.raw.headers));
	}
	return valueFrom(outcome);
}

/** Who asks, as Cloudflare saw it: of IPv6 the /64, since that is what one customer is given (RFC 6177). */
export function clientAddress(headers: Headers): string {
	const address = headers.get("CF-Connecting-IP")?.trim().toLowerCase() || UNKNOWN_ADDRESS;
	return address.includes(":") && !address.includes(".") ? `${firstGroups(address, 4)}::/64` : address;
}

/** Of an IPv6 address (RFC 4291 §2.2), with what `::` left out. */
function firstGroups(address: string, count: number): string {
	const [head = "", tail] = address.split("::");
	const given = head === "" ? [] : head.split(":");
	const last = tail === undefined || tail === "" ? [] : tail.split(":");
	const left = tail === undefined ? 0 : Math.max(0, 8 - given.length - last.length);
	const groups = [...given, ...Array<string>(left).fill("0"), ...last];
	return groups
		.slice(0, count)
		.map((group) => group.replace(/^0+(?=.)/, ""))
		.join(":");
}

/** @throws {ApiProblem} when there were too many. Limits that cannot be asked limit nobody: who may ask is decided elsewhere. */
async function takeTurn(c: Context<ApiEnv>, binding: RateLimitBinding, key: string): Promise<void> {
	if (await isOver(c, binding, key)) {
		const { per, what } = RATE_LIMITS[binding];
		throw new ApiProblem(
			"rate-limited",
			`api: expected fewer from one ${per}, got more than ${binding} lets by (${what})`,
		);
	}
}

async function isOver(c: Context<ApiEnv>, binding: RateLimitBinding, key: string): Promise<boolean> {
	try {
		return (await c.env[binding]?.limit({ key }))?.success === false;
	} catch (error) {
		log.warn("a rate limit could not be asked", { requestId: c.var.requestId, binding, error });
		return false;
	}
}
