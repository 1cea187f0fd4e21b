import { z } from "zod";
import { MS_PER_SECOND } from "../../media/units.ts";
import type { IceServer } from "../protocol/signaling.ts";
import { iceServersSchema } from "./configured-servers.ts";

const API_ORIGIN = "https://rtc.live.cloudflare.com";
/** Longer than most shows: what is longer gets new ones in time. Whoever copies them relays at the deployment's cost for no longer than that. */
export const TURN_TTL_S = 4 * 3_600;
/** Who is to be connected waits for it, and most lines come about without. */
export const TURN_TIMEOUT_MS = 3_000;
/** It lives in a socket's attachment, which takes 2 KiB. Cloudflare's is about 600 bytes. */
const MAX_SERVERS_CHARS = 1_400;
const MAX_ANSWER_CHARS = 16 * 1024;

const answerSchema = z.object({ iceServers: z.union([z.array(z.unknown()), z.looseObject({})]) });

export interface TurnKey {
	readonly id: string;
	readonly apiToken: string;
}

export interface TurnCredentials {
	readonly servers: readonly IceServer[];
	readonly untilMs: number;
}

export interface TurnPorts {
	fetch(url: string, init: RequestInit): Promise<Response>;
	/** Aborts after that long. */
	timeout(ms: number): AbortSignal;
}

/**
 * New credentials for Cloudflare's TURN service, and its addresses (Cloudflare Realtime, "Generate credentials": `generate-ice-servers`).
 *
 * @throws with a message that holds no secret, {@link TURN_TIMEOUT_MS} after it was asked at the latest
 */
export async function turnCredentials(key: TurnKey, ports: TurnPorts, nowMs: number): Promise<TurnCredentials> {
	const signal = ports.timeout(TURN_TIMEOUT_MS);
	const timeUp = new Promise<never>((_, reject) => {
		signal.addEventListener("abort", () => {
			reject(new Error(`turn: expected credentials within ${TURN_TIMEOUT_MS} ms, got none`));
		});
	});
	return {
		servers: await Promise.race([asked(key, ports, signal), timeUp]),
		untilMs: nowMs + TURN_TTL_S * MS_PER_SECOND,
	};
}

async function asked({ id, apiToken }: TurnKey, ports: TurnPorts, signal: AbortSignal): Promise<readonly IceServer[]> {
	const url = `${API_ORIGIN}/v1/turn/keys/${encodeURIComponent(id)}/credentials/generate-ice-servers`;
	const response = await answerTo(() =>
		ports.fetch(url, {
			method: "POST",
			headers: { Authorization: `Bearer ${apiToken}`, "Content-Type": "application/json" },
			body: JSON.stringify({ ttl: TURN_TTL_S }),
			redirect: "manual",
			signal,
		}),
	);
	if (!response.ok) {
		await response.body?.cancel();
		throw new Error(`turn: expected status 201, got ${response.status}`);
	}
	return serversIn(await answerTo(() => response.text()));
}

/** What went wrong on the way is told without its own words, which may hold the request's. */
async function answerTo<T>(ask: () => Promise<T>): Promise<T> {
	try {
		return await ask();
	} catch (error) {
		throw new Error(`turn: expected an answer, got ${error instanceof Error ? error.name : "none"}`);
	}
}

function serversIn(text: string): readonly IceServer[] {
	const answer = text.length > MAX_ANSWER_CHARS ? undefined : answerSchema.safeParse(jsonOf(text)).data;
	const { iceServers } = answer ?? {};
	const usable = (Array.isArray(iceServers) ? iceServers : [iceServers]).map(withoutBlockedPorts);
	const servers = iceServersSchema.min(1).safeParse(usable);
	if (!servers.success || JSON.stringify(servers.data).length > MAX_SERVERS_CHARS) {
		throw new Error("turn: expected iceServers of the usual size, got another answer");
	}
	return servers.data;
}

/** Browsers do not let anybody ask port 53, and wait in vain for an answer from it. */
function withoutBlockedPorts(server: unknown): unknown {
	const urls = z.object({ urls: z.array(z.string()) }).safeParse(server).data?.urls;
	return urls === undefined ? server : { ...Object(server), urls: urls.filter((url) => !/:53(\?|$)/.test(url)) };
}

function jsonOf(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}
