import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { cors } from "hono/cors";
import { authenticate } from "../auth/authenticate.ts";
import { credentialOf } from "../auth/credential.ts";
import { BROADCAST_ID_PATTERN } from "../auth/random-id.ts";
import type { WhipMatch } from "../protocol/whip.ts";
import { iceLinks } from "../whip/ice-link.ts";
import { type ApiEnv, newApiApp, PROBLEM_ANSWER, SECURED } from "./api-app.ts";
import { ApiProblem, valueFrom } from "./api-problem.ts";
import { limitToken, recognised } from "./rate-limit.ts";

const SDP = "application/sdp";
const FRAGMENT = "application/trickle-ice-sdpfrag";
/** A description is some 3 to 8 KiB; what the call relays has room for 48. */
const MAX_SDP_BYTES = 48 * 1024;

const TAKES_SDP = { body: { required: true, content: { [SDP]: { schema: z.string() } } } };
const ANSWERED = {
	201: {
		description: "The session's answer; `Location` is the session, `ETag` its ICE credentials', `Link` the ICE servers",
		content: { [SDP]: { schema: z.string() } },
	},
	default: PROBLEM_ANSWER,
};
const sessionParams = z.object({ broadcastId: z.string(), sessionId: z.string() });

/** WHIP (RFC 9725): how encoders come in by WebRTC. The compositor answers them. */
export const whip = newApiApp();

whip.use(
	"*",
	cors({
		origin: "*",
		allowMethods: ["POST", "PATCH", "DELETE", "OPTIONS"],
		allowHeaders: ["Authorization", "Content-Type", "If-Match"],
		exposeHeaders: ["Location", "ETag", "Link", "Accept-Patch", "X-Request-Id"],
	}),
);

whip.openAPIRegistry.registerPath({
	method: "post",
	path: "/",
	summary: "WHIP: an encoder's offer",
	description: "RFC 9725, with a stream key or a host's or guest's token as bearer.",
	security: SECURED,
	request: TAKES_SDP,
	responses: ANSWERED,
});
whip.openAPIRegistry.registerPath({
	method: "post",
	path: "/{streamKey}",
	summary: "WHIP: an encoder's offer, with the stream key in the address",
	description: "For encoders that cannot send a bearer token. Where one comes it counts.",
	request: { ...TAKES_SDP, params: z.object({ streamKey: z.string() }) },
	responses: ANSWERED,
});
whip.openAPIRegistry.registerPath({
	method: "patch",
	path: "/sessions/{broadcastId}/{sessionId}",
	summary: "WHIP: candidates, or an ICE restart",
	description: "Candidates with the session's entity tag in `If-Match`; a restart with `*`.",
	request: { params: sessionParams, body: { required: true, content: { [FRAGMENT]: { schema: z.string() } } } },
	responses: {
		200: { description: "The restart's answer, with a new `ETag`", content: { [FRAGMENT]: { schema: z.string() } } },
		204: { description: "The candidates were taken" },
		default: PROBLEM_ANSWER,
	},
});
whip.openAPIRegistry.registerPath({
	method: "delete",
	path: "/sessions/{broadcastId}/{sessionId}",
	summary: "WHIP: end the session",
	request: { params: sessionParams },
	responses: { 200: { description: "It has ended" }, default: PROBLEM_ANSWER },
});

for (const path of ["/", "/:streamKey"] as const) {
	whip.post(path, (c) => begin(c));
	whip.options(path, (c) => c.body(null, 204, { "Accept-Post": SDP }));
	whip.all(path, () => notAllowed("POST, OPTIONS"));
}

whip.patch("/sessions/:broadcastId/:sessionId", async (c) => {
	const fragment = await bodyOf(c, FRAGMENT);
	const match = matchOf(c.req.header("If-Match"));
	const answer = valueFrom(await sessionsOf(c).whipPatch({ sessionId: c.req.param("sessionId"), fragment, match }));
	return answer === null
		? c.body(null, 204)
		: c.body(answer.fragment, 200, { "Content-Type": FRAGMENT, ETag: `"${answer.etag}"` });
});
whip.delete("/sessions/:broadcastId/:sessionId", async (c) => {
	valueFrom(await sessionsOf(c).whipEnd(c.req.param("sessionId")));
	return c.body(null, 200);
});
whip.all("/sessions/:broadcastId/:sessionId", () => notAllowed("PATCH, DELETE, OPTIONS"));

async function begin(c: Context<ApiEnv>): Promise<Response> {
	const token = credentialOf(c.req.raw, { query: false }) ?? c.req.param("streamKey");
	const principal = await recognised(c, token, await authenticate(token, c.env, Date.now() / 1_000));
	if (principal.role === "admin" || principal.person === undefined) {
		throw new ApiProblem(
			"forbidden",
			`whip: expected a host's or guest's stream key or token, got ${principal.role}'s`,
		);
	}
	c.set("principal", principal);
	await limitToken(c, token ?? "", "RATE_API");
	const sdp = await bodyOf(c, SDP);
	const { broadcastId, person } = principal;
	const answer = valueFrom(await c.env.BROADCAST.getByName(broadcastId).whipOffer(person, sdp));
	const headers = new Headers({
		"Content-Type": SDP,
		Location: `/api/whip/sessions/${broadcastId}/${answer.sessionId}`,
		ETag: `"${answer.etag}"`,
		"Accept-Patch": FRAGMENT,
		"Cache-Control": "no-store",
	});
	for (const link of iceLinks(answer.iceServers)) {
		headers.append("Link", link);
	}
	return new Response(answer.sdp, { status: 201, headers });
}

function sessionsOf(c: Context<ApiEnv>) {
	const broadcastId = c.req.param("broadcastId") ?? "";
	if (!BROADCAST_ID_PATTERN.test(broadcastId)) {
		throw new ApiProblem("not-found", "whip: expected a session that goes on, got one that is over or never was");
	}
	return c.env.BROADCAST.getByName(broadcastId);
}

async function bodyOf(c: Context<ApiEnv>, type: string): Promise<string> {
	const given = c.req.header("Content-Type")?.split(";")[0]?.trim().toLowerCase();
	if (given !== type) {
		throw new ApiProblem("unsupported-media-type", `whip: expected Content-Type ${type}, got another`);
	}
	// Not as text, which the platform takes an unknown type not to be.
	const body = new TextDecoder().decode(await c.req.arrayBuffer());
	if (body.length > MAX_SDP_BYTES) {
		throw new ApiProblem("too-large", `whip: expected at most ${MAX_SDP_BYTES} bytes, got ${body.length}`);
	}
	return body;
}

/** `If-Match` (RFC 9110 §13.1.1); weak tags never match. */
function matchOf(header: string | undefined): WhipMatch {
	if (header === undefined) {
		return undefined;
	}
	return header.trim() === "*" ? "any" : [...header.matchAll(/(?:^|,)\s*"([^"]*)"/g)].map(([, tag = ""]) => tag);
}

function notAllowed(allow: string): Response {
	return new Response(null, { status: 405, headers: { Allow: allow } });
}
