import { createRoute, z } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import { authenticate } from "../auth/authenticate.ts";
import { credentialOf } from "../auth/credential.ts";
import { BROADCAST_ID_PATTERN } from "../auth/random-id.ts";
import { createLog } from "../log.ts";
import type { Outcome } from "../protocol/problem.ts";
import type { WhipAnswer } from "../protocol/whip.ts";
import { iceLinks } from "../whip/ice-link.ts";
import { whipMatch } from "../whip/if-match.ts";
import { type ApiEnv, newApiApp, PROBLEM_ANSWER, SECURED } from "./api-app.ts";
import { ApiProblem, problemResponse, valueFrom } from "./api-problem.ts";
import { limitToken, recognised } from "./rate-limit.ts";

const SDP = "application/sdp";
const FRAGMENT = "application/trickle-ice-sdpfrag";
/** A description is some 3 to 8 KiB; what the call relays has room for 48. */
const MAX_SDP_BYTES = 48 * 1024;
const log = createLog("api");
const OFFER_METHODS = ["POST", "OPTIONS"];
const SESSION_METHODS = ["PATCH", "DELETE", "OPTIONS"];

const sessionParams = z.object({ broadcastId: z.string(), sessionId: z.string() });
const offerBody = { required: true, content: { [SDP]: { schema: z.string() } } } as const;
const ifMatch = z.object({
	"if-match": z.string().optional().openapi({ description: "The session's entity tag; `*` for an ICE restart" }),
});
const answered = {
	201: {
		description: "The compositor's answer, with all its candidates",
		content: { [SDP]: { schema: z.string() } },
		headers: z.object({
			Location: z.string().openapi({ description: "The session, for PATCH and DELETE: who knows it may end it" }),
			ETag: z.string().openapi({ description: "Of its ICE credentials" }),
			Link: z.string().openapi({ description: 'ICE servers, `rel="ice-server"`' }),
			"Accept-Patch": z.string(),
		}),
	},
	default: PROBLEM_ANSWER,
} as const;

/** WHIP (RFC 9725): how encoders come in by WebRTC. The compositor answers them, so that one is started for them. */
const area = newApiApp();

export const whip = area
	.openapi(
		createRoute({
			method: "post",
			path: "/",
			summary: "WHIP: begin to send by WebRTC",
			description:
				"RFC 9725, with a stream key or a host's or guest's token as bearer. Waits up to 10 s for a compositor's answer, then says 503 with `Retry-After`. Takes over from whatever that person was in the call by.",
			security: SECURED,
			request: { body: offerBody },
			responses: answered,
		}),
		async (c) => begun(c, await begin(c, undefined)),
	)
	.openapi(
		createRoute({
			method: "post",
			path: "/{streamKey}",
			summary: "WHIP: begin to send by WebRTC, with the stream key in the address",
			description: "For encoders that cannot send a bearer token. Where one comes it counts, and the address does not.",
			request: { body: offerBody, params: z.object({ streamKey: z.string() }) },
			responses: answered,
		}),
		async (c) => begun(c, await begin(c, c.req.valid("param").streamKey)),
	)
	.openapi(
		createRoute({
			method: "patch",
			path: "/sessions/{broadcastId}/{sessionId}",
			summary: "WHIP: tell more candidates, or restart ICE",
			description: "RFC 9725 §4.3. Without `If-Match` 428; with another entity tag than the session's 412.",
			request: {
				params: sessionParams,
				headers: ifMatch,
				body: { required: true, content: { [FRAGMENT]: { schema: z.string() } } } as const,
			},
			responses: {
				200: {
					description: "ICE was restarted: the compositor's new credentials and candidates, with a new `ETag`",
					content: { [FRAGMENT]: { schema: z.string() } },
				},
				204: { description: "The candidates were taken" },
				default: PROBLEM_ANSWER,
			},
		}),
		async (c) => {
			const { broadcastId, sessionId } = c.req.valid("param");
			const fragment = await bodyOf(c, FRAGMENT);
			const match = whipMatch(c.req.header("If-Match"));
			const sessions = sessionsOf(c, broadcastId);
			const restart = await asked(c, broadcastId, () => sessions.whipPatch({ sessionId, fragment, match }));
			return restart === null
				? c.body(null, 204)
				: c.body(restart.fragment, 200, { "Content-Type": FRAGMENT, ETag: `"${restart.etag}"` });
		},
	)
	.openapi(
		createRoute({
			method: "delete",
			path: "/sessions/{broadcastId}/{sessionId}",
			summary: "WHIP: end the session",
			request: { params: sessionParams },
			responses: { 200: { description: "It has ended" }, default: PROBLEM_ANSWER },
		}),
		async (c) => {
			const { broadcastId, sessionId } = c.req.valid("param");
			const sessions = sessionsOf(c, broadcastId);
			await asked(c, broadcastId, () => sessions.whipEnd(sessionId));
			return c.body(null, 200);
		},
	);

for (const path of ["/", "/:streamKey"]) {
	area.all(path, (c) => notAllowed(c, OFFER_METHODS));
}
area.all("/sessions/:broadcastId/:sessionId", (c) => notAllowed(c, SESSION_METHODS));

/** Tells whoever asks by OPTIONS what is taken here (RFC 9725 §4.2). */
export function sayWhatWhipTakes(): MiddlewareHandler<ApiEnv> {
	return async (c, next) => {
		if (c.req.method === "OPTIONS") {
			const isSession = c.req.path.startsWith("/api/whip/sessions/");
			c.header(isSession ? "Accept-Patch" : "Accept-Post", isSession ? FRAGMENT : SDP);
			c.header("Allow", (isSession ? SESSION_METHODS : OFFER_METHODS).join(", "));
		}
		await next();
	};
}

async function begin(
	c: Context<ApiEnv>,
	streamKey: string | undefined,
): Promise<WhipAnswer & { readonly broadcastId: string }> {
	const token = credentialOf(c.req.raw, { query: false }) ?? streamKey;
	const principal = await recognised(c, token, await authenticate(token, c.env, Date.now() / 1_000));
	if (principal.role === "admin" || principal.person === undefined) {
		const detail = `whip: expected a host's or guest's stream key or token, got one of the role ${principal.role}`;
		throw new ApiProblem("forbidden", detail);
	}
	c.set("principal", principal);
	await limitToken(c, token ?? "", "RATE_API");
	const sdp = await bodyOf(c, SDP);
	const { broadcastId, person, credentialsVersion = 0 } = principal;
	const broadcast = c.env.BROADCAST.getByName(broadcastId);
	const answer = await asked(c, broadcastId, () => broadcast.whipOffer(person, credentialsVersion, sdp));
	return { ...answer, broadcastId };
}

function begun(
	c: Context<ApiEnv>,
	{ broadcastId, sessionId, etag, iceServers, sdp }: Awaited<ReturnType<typeof begin>>,
) {
	for (const link of iceLinks(iceServers)) {
		c.header("Link", link, { append: true });
	}
	return c.body(sdp, 201, {
		"Content-Type": SDP,
		Location: `/api/whip/sessions/${broadcastId}/${sessionId}`,
		ETag: `"${etag}"`,
		"Accept-Patch": FRAGMENT,
		"Cache-Control": "no-store",
	});
}

function sessionsOf(c: Context<ApiEnv>, broadcastId: string) {
	if (!BROADCAST_ID_PATTERN.test(broadcastId)) {
		throw new ApiProblem("not-found", "whip: expected a session that goes on, got one that is over or never was");
	}
	return c.env.BROADCAST.getByName(broadcastId);
}

/** What the broadcast says. One that is lost while it is asked, as by a deploy, is there again in a moment, and an encoder is to come again then. */
async function asked<T>(c: Context<ApiEnv>, broadcastId: string, ask: () => Promise<Outcome<T>>): Promise<T> {
	let outcome: Outcome<T>;
	try {
		outcome = await ask();
	} catch (error) {
		log.error("a broadcast did not answer an encoder", { requestId: c.var.requestId, broadcastId, error });
		throw new ApiProblem("unavailable", "whip: expected the broadcast's answer, got it interrupted");
	}
	return valueFrom(outcome);
}

async function bodyOf(c: Context<ApiEnv>, type: string): Promise<string> {
	const given = c.req.header("Content-Type")?.split(";")[0]?.trim().toLowerCase();
	if (given !== type) {
		throw new ApiProblem(
			"unsupported-media-type",
			`whip: expected Content-Type ${type}, got ${given ? "another" : "none"}`,
		);
	}
	// Not as text, which the platform takes an unknown type not to be.
	const body = await c.req.arrayBuffer();
	if (body.byteLength > MAX_SDP_BYTES) {
		throw new ApiProblem("too-large", `whip: expected at most ${MAX_SDP_BYTES} bytes, got ${body.byteLength}`);
	}
	return new TextDecoder().decode(body);
}

function notAllowed(c: Context<ApiEnv>, methods: readonly string[]): Response {
	const detail = `whip: expected ${methods.join(" or ")}, got ${c.req.method}`;
	const response = problemResponse(new ApiProblem("method-not-allowed", detail), c.var.requestId);
	response.headers.set("Allow", methods.join(", "));
	return response;
}
