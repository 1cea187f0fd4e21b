import { z } from "@hono/zod-openapi";
import { authenticateRunner } from "../auth/authenticate.ts";
import { credentialOf } from "../auth/credential.ts";
import { API_ROLES, type Principal, publishesAs, rolesAllowedOnStream, rolesAllowedTo } from "../auth/permissions.ts";
import { directionSchema, publishSessionSchema } from "../protocol/media-socket.ts";
import { DEFAULT_POOL_NAME } from "../protocol/object-rpc.ts";
import { PUBLISHED_STREAM_NAMES, STREAM_NAMES, streamNameSchema } from "../protocol/roles.ts";
import { newApiApp, PROBLEM_ANSWER, SECURED } from "./api-app.ts";
import { ApiProblem, valueFrom } from "./api-problem.ts";
import { idParamSchema } from "./broadcasts.ts";
import { broadcastIdOf, broadcastOf, principalFor } from "./guard.ts";
import { recognised } from "./rate-limit.ts";
import { socketRoute, upgraded, upgradeFor } from "./socket-refusal.ts";

const SWITCHED = { 101: { description: "The socket is open" }, default: PROBLEM_ANSWER };

export const broadcastSockets = newApiApp();

broadcastSockets.openAPIRegistry.registerPath({
	method: "get",
	path: "/{id}/media/{stream}",
	summary: "WebSocket: FLV, one tag a message",
	description:
		"The token as bearer, as subprotocol `bearer.<token>` beside `tandem`, or, to subscribe only, as `?token=`. Slashes of the stream's name may stand as they are. `host` and `guest` are published by the two, `composite/main` by a compositor, and `program/main`, what goes to viewers and destinations, by nobody: it is made of them.",
	security: SECURED,
	request: {
		params: idParamSchema.extend({ stream: z.enum(STREAM_NAMES) }),
		query: z.object({
			direction: directionSchema,
			session: publishSessionSchema.optional().openapi({
				description: "The publisher's own, kept over its connections: the stream goes on where it was",
			}),
			sleeps: z.literal("1").optional().openapi({
				description: "The publisher can stop sending when told so, and begin again with a key frame at once",
			}),
			ack: z.literal("1").optional().openapi({
				description: "The subscriber acknowledges what it has taken; the publisher is told how much of it was taken",
			}),
			token: z.string().optional(),
		}),
	},
	responses: SWITCHED,
});

broadcastSockets.get(
	"/:id/media/:stream{.+}",
	socketRoute(async (c) => {
		const direction = directionSchema.safeParse(c.req.query("direction"));
		if (!direction.success) {
			throw new ApiProblem(
				"invalid-request",
				`media: expected direction=${directionSchema.options.join(" or ")}, got neither`,
			);
		}
		const stream = streamNameSchema.safeParse(c.req.param("stream"));
		if (!stream.success) {
			throw new ApiProblem("not-found", `media: expected the stream ${STREAM_NAMES.join(", ")}, got another`);
		}
		const roles = rolesAllowedOnStream(stream.data, direction.data);
		const isPublishedByNobody = roles.length === 0;
		// Who asks is checked all the same: a stranger learns nothing but that they are one.
		const principal = await principalFor(c, isPublishedByNobody ? API_ROLES : roles, {
			query: direction.data === "subscribe",
		});
		if (isPublishedByNobody) {
			throw new ApiProblem(
				"forbidden",
				`media: expected ${PUBLISHED_STREAM_NAMES.join(", ")} to publish, got ${stream.data}, which is made of them`,
			);
		}
		if (direction.data === "publish" && !publishesAs(principal, stream.data)) {
			throw new ApiProblem("forbidden", `auth: expected ${stream.data} to publish this stream, got another guest`);
		}
		const broadcastId = broadcastIdOf(c);
		const fence = fenceOf(principal);
		valueFrom(await c.env.BROADCAST.getByName(broadcastId).admit(fence));
		const query = new URLSearchParams({ stream: stream.data });
		if (direction.data === "publish" && fence !== undefined) {
			query.set("fence", String(fence));
		}
		const session = publishSessionSchema.optional().safeParse(c.req.query("session"));
		if (!session.success) {
			throw new ApiProblem(
				"invalid-request",
				"media: expected a session of 1 to 64 letters, digits, _ or -, got another",
			);
		}
		if (direction.data === "publish" && session.data !== undefined) {
			query.set("session", session.data);
		}
		if (direction.data === "publish" && c.req.query("sleeps") === "1") {
			query.set("sleeps", "1");
		}
		if (c.req.query("ack") === "1") {
			query.set("ack", "1");
		}
		const isRunnersEgress = principal.role === "viewer" && principal.fence !== undefined;
		const isOurs = principal.role === "admin" || principal.role === "compositor" || isRunnersEgress;
		if (direction.data === "subscribe" && !isOurs) {
			query.set("as", principal.person ?? "viewer");
		}
		if (principal.role !== "admin" && principal.credentialsVersion !== undefined) {
			query.set("ver", String(principal.credentialsVersion));
		}
		const upgrade = upgradeFor(`/${direction.data}?${query}`, c.req.raw);
		return upgraded(await c.env.ROUTER.getByName(broadcastId).fetch(upgrade), c.req.raw);
	}),
);

broadcastSockets.openAPIRegistry.registerPath({
	method: "get",
	path: "/{id}/control",
	summary: "WebSocket: layout, status and figures (JSON)",
	description: "The token as bearer, or as subprotocol `bearer.<token>` beside `tandem`.",
	security: SECURED,
	request: { params: idParamSchema },
	responses: SWITCHED,
});

broadcastSockets.get(
	"/:id/control",
	socketRoute(async (c) => {
		const principal = await principalFor(c, rolesAllowedTo("control"), { query: false });
		const broadcast = broadcastOf(c);
		const fence = fenceOf(principal);
		valueFrom(await broadcast.admit(fence));
		const query = new URLSearchParams({ role: principal.role });
		if (principal.role !== "admin") {
			const { person, credentialsVersion: ver } = principal;
			for (const [key, value] of Object.entries({ person, ver, fence })) {
				if (value !== undefined) {
					query.set(key, String(value));
				}
			}
		}
		return upgraded(await broadcast.fetch(upgradeFor(`/control?${query}`, c.req.raw)), c.req.raw);
	}),
);

export const runnerSockets = newApiApp();

runnerSockets.openAPIRegistry.registerPath({
	method: "get",
	path: "/connect",
	summary: "WebSocket: a runner offers its compositors (JSON)",
	description: "For runners, with RUNNER_TOKEN as bearer.",
	security: SECURED,
	responses: SWITCHED,
});

runnerSockets.get(
	"/connect",
	socketRoute(async (c) => {
		const token = credentialOf(c.req.raw, { query: false });
		await recognised(c, token, await authenticateRunner(token, c.env));
		const pool = c.env.COMPOSITOR_POOL.getByName(DEFAULT_POOL_NAME);
		return upgraded(await pool.fetch(upgradeFor("/connect", c.req.raw)), c.req.raw);
	}),
);

/** @throws {ApiProblem} for a compositor's token without a lease */
function fenceOf(principal: Principal): number | undefined {
	if (principal.role !== "compositor") {
		return undefined;
	}
	if (principal.fence === undefined) {
		throw new ApiProblem("forbidden", "auth: expected a compositor's token with its fence, got one without");
	}
	return principal.fence;
}
