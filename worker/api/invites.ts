import { createRoute } from "@hono/zod-openapi";
import { MS_PER_SECOND } from "../../media/units.ts";
import { credentialOf } from "../auth/credential.ts";
import { broadcastOfInvite, hashInviteCode, newInviteCode } from "../auth/invite-code.ts";
import { randomCode } from "../auth/random-id.ts";
import { newStreamKeys } from "../auth/stream-key.ts";
import type { InviteView } from "../protocol/broadcast-commands.ts";
import { refused } from "../protocol/problem.ts";
import { GUEST_IDS } from "../protocol/roles.ts";
import { answers, jsonBody, newApiApp, PROBLEM_ANSWER, SECURED } from "./api-app.ts";
import { ApiProblem, valueFrom } from "./api-problem.ts";
import { idParamSchema, mayMatch } from "./broadcasts.ts";
import { allow, broadcastIdOf, broadcastOf } from "./guard.ts";
import { idempotent } from "./idempotent.ts";
import { ingestAnswer } from "./ingest-answer.ts";
import { linkTo, newToken, requiredSigningKey } from "./new-credentials.ts";
import { createdInviteSchema, inviteListSchema, joinedSchema, joinSchema, newInviteSchema } from "./people-schema.ts";
import { recognised } from "./rate-limit.ts";
import { runCommand } from "./run-command.ts";

/** Unique within one broadcast, and not to be guessed from each other. */
const INVITE_ID_LENGTH = 12;
const DAY_MS = 24 * 3_600_000;
const GOOD_FOR_MS = 7 * DAY_MS;
const GOOD_AFTER_START_MS = DAY_MS;

const inviteParamsSchema = idParamSchema.extend({ inviteId: idParamSchema.shape.id });

export const invites = newApiApp()
	.openapi(
		createRoute({
			method: "post",
			path: "/{id}/invites",
			summary: "Invite a guest",
			description:
				"The code is in this answer and in no other. Whoever redeems it gets a guest's place, while there is one.",
			security: SECURED,
			middleware: [allow("operate")] as const,
			request: { params: idParamSchema, ...mayMatch, body: jsonBody(newInviteSchema) },
			responses: answers(201, "Created", createdInviteSchema),
		}),
		async (c) => {
			const { note, name, maxUses, expiresInSeconds, admission } = c.req.valid("json");
			const nowMs = Date.now();
			const id = broadcastIdOf(c);
			const { scheduledStartMs, guestAdmission } = valueFrom(await broadcastOf(c).view());
			const code = newInviteCode(id);
			const invite = {
				...(note === undefined ? {} : { note }),
				...(name === undefined ? {} : { name }),
				maxUses,
				expiresAtMs:
					expiresInSeconds === undefined
						? usualExpiryMs(scheduledStartMs, nowMs)
						: nowMs + expiresInSeconds * MS_PER_SECOND,
				...(admission === undefined ? {} : { admission }),
			};
			const inviteId = randomCode(INVITE_ID_LENGTH);
			const codeHash = await hashInviteCode(code);
			await runCommand(c, { type: "create-invite", inviteId, codeHash, ...invite });
			c.header("Cache-Control", "no-store");
			const view = { id: inviteId, uses: 0, createdAtMs: nowMs, ...invite, admission: admission ?? guestAdmission };
			return c.json({ ...inviteAnswer(view), code, link: linkTo(c, "join", id, `invite=${code}`) }, 201);
		},
	)
	.openapi(
		createRoute({
			method: "get",
			path: "/{id}/invites",
			summary: "List invites",
			security: SECURED,
			middleware: [allow("operate")] as const,
			request: { params: idParamSchema },
			responses: answers(200, "All of them, without their codes", inviteListSchema),
		}),
		async (c) => c.json({ invites: valueFrom(await broadcastOf(c).invites()).map(inviteAnswer) }, 200),
	)
	.openapi(
		createRoute({
			method: "delete",
			path: "/{id}/invites/{inviteId}",
			summary: "Revoke an invite",
			description: "Whoever came by it is removed. It stays in the list. Idempotent.",
			security: SECURED,
			middleware: [allow("operate")] as const,
			request: { params: inviteParamsSchema, ...mayMatch },
			responses: { 204: { description: "It is worth nothing any more" }, default: PROBLEM_ANSWER },
		}),
		async (c) => {
			await runCommand(c, { type: "revoke-invite", inviteId: c.req.valid("param").inviteId });
			return c.body(null, 204);
		},
	)
	.openapi(
		createRoute({
			method: "post",
			path: "/{id}/join",
			summary: "Redeem an invite",
			description:
				"The invite's code as bearer. Gives a guest's place, and a token and a stream key for it, which are in this answer and in no other.",
			security: SECURED,
			middleware: [idempotent()] as const,
			request: { params: idParamSchema, body: jsonBody(joinSchema) },
			responses: answers(200, "The place, and what it takes to be there", joinedSchema),
		}),
		async (c) => {
			requiredSigningKey(c.env);
			const id = broadcastIdOf(c);
			const code = credentialOf(c.req.raw, { query: false }) ?? "";
			if (broadcastOfInvite(code) !== id) {
				const detail = "invite: expected a code of this broadcast's, got another or none";
				return recognised<never>(c, code, refused("unauthorized", detail));
			}
			const { name } = c.req.valid("json");
			const { keys, hashes } = await newStreamKeys(id, GUEST_IDS);
			const command = {
				type: "redeem-invite",
				codeHash: await hashInviteCode(code),
				...(name === undefined ? {} : { name }),
				streamKeyHash: hashes,
			} as const;
			const context = { actor: "system", requestId: c.var.requestId } as const;
			const result = await recognised(c, code, await broadcastOf(c).command(command, context));
			const { broadcast, personId } = result;
			const person = broadcast.people.find((each) => each.id === personId);
			if (personId === undefined || person === undefined) {
				throw new ApiProblem("too-many", "invite: expected a place, got it taken away meanwhile");
			}
			const { title, description, posterUrl, status, scheduledStartMs } = broadcast;
			c.header("Cache-Control", "no-store");
			return c.json(
				{
					personId,
					name: person.name,
					admitted: person.admitted,
					token: await newToken(result, personId, c.env, Date.now()),
					ingest: ingestAnswer({ origin: new URL(c.req.url).origin, rtmpUrl: c.env.RTMP_INGEST_URL }, keys[personId]),
					broadcast: {
						id,
						title,
						...(description === undefined ? {} : { description }),
						...(posterUrl === undefined ? {} : { posterUrl }),
						status,
						...(scheduledStartMs === undefined ? {} : { scheduledStartTime: dateTime(scheduledStartMs) }),
					},
				},
				200,
			);
		},
	);

/** A week, or until the day after the show. */
function usualExpiryMs(scheduledStartMs: number | undefined, nowMs: number): number {
	return scheduledStartMs === undefined ? nowMs + GOOD_FOR_MS : Math.max(scheduledStartMs, nowMs) + GOOD_AFTER_START_MS;
}

function inviteAnswer({ expiresAtMs, createdAtMs, revokedAtMs, ...same }: InviteView) {
	return {
		...same,
		expiresAt: dateTime(expiresAtMs),
		createdAt: dateTime(createdAtMs),
		...(revokedAtMs === undefined ? {} : { revokedAt: dateTime(revokedAtMs) }),
	};
}

function dateTime(timeMs: number): string {
	return new Date(timeMs).toISOString();
}
