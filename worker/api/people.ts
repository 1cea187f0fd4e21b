import { createRoute } from "@hono/zod-openapi";
import type { Context } from "hono";
import { commandRefusal } from "../auth/command-permission.ts";
import { hashStreamKey, newStreamKey } from "../auth/stream-key.ts";
import type { BroadcastView } from "../protocol/broadcast-commands.ts";
import { type PersonId, roleOf } from "../protocol/roles.ts";
import { type ApiEnv, answers, jsonBody, newApiApp, PROBLEM_ANSWER, SECURED } from "./api-app.ts";
import { ApiProblem, valueFrom } from "./api-problem.ts";
import { idParamSchema, mayMatch } from "./broadcasts.ts";
import { allow, broadcastIdOf, broadcastOf } from "./guard.ts";
import { ingestAnswer } from "./ingest-answer.ts";
import { linkTo, newToken, requiredSigningKey } from "./new-credentials.ts";
import {
	credentialsSchema,
	guestParamSchema,
	holderParamSchema,
	personChangesBodySchema,
	personListSchema,
	personParamSchema,
} from "./people-schema.ts";
import { runCommand, tagged } from "./run-command.ts";
import { personSchema } from "./schemas.ts";

const PAGE_OF = { host: "studio", guest: "join" } as const;

export const people = newApiApp()
	.openapi(
		createRoute({
			method: "get",
			path: "/{id}/people",
			summary: "List the host and the places for guests",
			security: SECURED,
			middleware: [allow("view")] as const,
			request: { params: idParamSchema },
			responses: answers(200, "All of them", personListSchema),
		}),
		async (c) => {
			const broadcast = valueFrom(await broadcastOf(c).view());
			tagged(c, broadcast);
			return c.json({ people: broadcast.people.map((person) => ({ ...person })) }, 200);
		},
	)
	.openapi(
		createRoute({
			method: "patch",
			path: "/{id}/people/{personId}",
			summary: "Rename or mute somebody, or make them louder or quieter",
			description:
				"Live or before. A guest may change their own name, and mute and unmute themselves; whom host or admin have muted, only these unmute.",
			security: SECURED,
			middleware: [allow("people")] as const,
			request: { params: personParamSchema, ...mayMatch, body: jsonBody(personChangesBodySchema) },
			responses: answers(200, "As they are now", personSchema),
		}),
		async (c) => {
			const { personId } = c.req.valid("param");
			const { name, gain, muted } = c.req.valid("json");
			const command = {
				type: "set-person",
				personId,
				...(name === undefined ? {} : { name }),
				...(gain === undefined ? {} : { gain }),
				...(muted === undefined ? {} : { muted }),
			} as const;
			const refusal = commandRefusal(c.var.principal, command);
			if (refusal !== undefined) {
				return valueFrom(refusal);
			}
			return c.json(personIn((await runCommand(c, command)).broadcast, personId), 200);
		},
	)
	.openapi(
		createRoute({
			method: "post",
			path: "/{id}/people/{personId}/admit",
			summary: "Let a guest who waits on air",
			description: "Idempotent. Until then their media is received, and shown to nobody but those who subscribe to it.",
			security: SECURED,
			middleware: [allow("operate")] as const,
			request: { params: guestParamSchema, ...mayMatch },
			responses: answers(200, "They may be on air", personSchema),
		}),
		async (c) => {
			const { personId } = c.req.valid("param");
			return c.json(personIn((await runCommand(c, { type: "admit-person", personId })).broadcast, personId), 200);
		},
	)
	.openapi(
		createRoute({
			method: "delete",
			path: "/{id}/people/{personId}",
			summary: "Remove a guest",
			description:
				"Off air and disconnected at once; their key and tokens are worth nothing, and their place is free. Idempotent.",
			security: SECURED,
			middleware: [allow("operate")] as const,
			request: { params: guestParamSchema, ...mayMatch },
			responses: { 204: { description: "They are gone" }, default: PROBLEM_ANSWER },
		}),
		async (c) => {
			await runCommand(c, { type: "remove-person", personId: c.req.valid("param").personId });
			return c.body(null, 204);
		},
	)
	.openapi(
		createRoute({
			method: "post",
			path: "/{id}/people/{personId}/credentials",
			summary: "Give somebody a new token and stream key",
			description:
				"Those from before are worth nothing from then on, and whoever came by them is disconnected. `viewer` renews the token of all viewers.",
			security: SECURED,
			middleware: [allow("operate")] as const,
			request: { params: holderParamSchema, ...mayMatch },
			responses: answers(200, "The new ones", credentialsSchema),
		}),
		async (c) => {
			requiredSigningKey(c.env);
			const { personId } = c.req.valid("param");
			c.header("Cache-Control", "no-store");
			return c.json(personId === "viewer" ? await renewedViewers(c) : await renewed(c, personId), 200);
		},
	);

async function renewedViewers(c: Context<ApiEnv>) {
	const result = await runCommand(c, { type: "renew-viewers" });
	const token = await newToken(result, "viewer", c.env, Date.now());
	return { token, link: linkTo(c, "watch", result.broadcast.id, `token=${token}`) };
}

async function renewed(c: Context<ApiEnv>, personId: PersonId) {
	const streamKey = newStreamKey(broadcastIdOf(c), personId);
	const streamKeyHash = await hashStreamKey(streamKey);
	const result = await runCommand(c, { type: "renew-credentials", personId, streamKeyHash });
	const token = await newToken(result, personId, c.env, Date.now());
	return {
		token,
		link: linkTo(c, PAGE_OF[roleOf(personId)], result.broadcast.id, `token=${token}`),
		ingest: ingestAnswer({ origin: new URL(c.req.url).origin, rtmpUrl: c.env.RTMP_INGEST_URL }, streamKey),
	};
}

function personIn({ people: all }: BroadcastView, personId: PersonId) {
	const person = all.find(({ id }) => id === personId);
	if (person === undefined) {
		throw new ApiProblem("not-found", `person: expected ${personId} to have a place, got it taken away meanwhile`);
	}
	return { ...person };
}
