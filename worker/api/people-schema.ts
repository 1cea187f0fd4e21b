import { z } from "@hono/zod-openapi";
import { GUEST_ADMISSIONS } from "../protocol/broadcast-commands.ts";
import { personChangesSchema, personNameSchema, sceneChangesSchema } from "../protocol/live-commands.ts";
import { guestIdSchema, personIdSchema } from "../protocol/roles.ts";
import { ingestSchema, personSchema, statusSchema } from "./schemas.ts";

const DAY_S = 24 * 3_600;
/** Long enough for whoever reads a message when it comes. */
const MIN_INVITE_S = 60;
/** A start may be a year ahead; guests are invited to it today. */
const MAX_INVITE_S = 400 * DAY_S;
/** A studio's regulars; a link for everybody is no invite. */
const MAX_INVITE_USES = 1_000;
const MAX_NOTE_LENGTH = 200;

export const personListSchema = z.object({ people: z.array(personSchema) }).openapi("PersonList");

export const personChangesBodySchema = z
	.strictObject({
		name: personChangesSchema.shape.name.unwrap().optional(),
		gain: personChangesSchema.shape.gain.unwrap().optional(),
		muted: personChangesSchema.shape.muted.unwrap().optional(),
	})
	.openapi("PersonChanges", { description: "Gain is linear, 1 is unchanged" });

export const sceneChangesBodySchema = z
	.strictObject({
		layout: sceneChangesSchema.shape.layout.unwrap().optional(),
		labels: sceneChangesSchema.shape.labels.unwrap().optional(),
		order: sceneChangesSchema.shape.order.unwrap().optional(),
	})
	.openapi("SceneChanges", {
		description:
			"What is absent stays. `labels` shows or hides names; `order` says who comes first, and those it does not name follow in their usual order",
	});

export const personParamSchema = z.object({ id: z.string(), personId: personIdSchema });
export const guestParamSchema = z.object({ id: z.string(), personId: guestIdSchema });
export const holderParamSchema = z.object({ id: z.string(), personId: z.enum([...personIdSchema.options, "viewer"]) });

export const credentialsSchema = z
	.object({
		token: z.string(),
		link: z.url().openapi({ description: "To the page for that role, with the token in its fragment" }),
		ingest: ingestSchema.optional().openapi({ description: "Absent for viewers, who send nothing" }),
	})
	.openapi("Credentials", { description: "Shown only now" });

export const newInviteSchema = z
	.strictObject({
		note: z.string().trim().min(1).max(MAX_NOTE_LENGTH).optional().openapi({ description: "For the operator's eyes" }),
		name: personNameSchema.optional(),
		maxUses: z.int().min(1).max(MAX_INVITE_USES).default(1),
		expiresInSeconds: z.int().min(MIN_INVITE_S).max(MAX_INVITE_S).optional(),
		admission: z.enum(GUEST_ADMISSIONS).optional(),
	})
	.openapi("NewInvite", {
		description:
			"`name` is on the label of whoever comes by it and gives no other. It expires after a week, or a day after the scheduled start, unless it says otherwise; `admission` overrides the broadcast's",
	});

export const inviteSchema = z
	.object({
		id: z.string(),
		note: z.string().optional(),
		name: z.string().optional(),
		maxUses: z.int(),
		uses: z.int(),
		expiresAt: z.iso.datetime(),
		admission: z.enum(GUEST_ADMISSIONS),
		createdAt: z.iso.datetime(),
		revokedAt: z.iso.datetime().optional(),
	})
	.openapi("Invite");

export const inviteListSchema = z.object({ invites: z.array(inviteSchema) }).openapi("InviteList");

export const createdInviteSchema = inviteSchema
	.extend({
		code: z.string().openapi({ description: "Shown only now" }),
		link: z.url().openapi({ description: "For the guest, with the code in its fragment" }),
	})
	.openapi("CreatedInvite");

export const joinSchema = z.strictObject({ name: personNameSchema.optional() }).openapi("Join");

export const joinedSchema = z
	.object({
		personId: guestIdSchema,
		name: z.string(),
		admitted: z.boolean().openapi({ description: "On air as soon as their media comes; otherwise they wait" }),
		token: z.string(),
		ingest: ingestSchema,
		broadcast: z.object({
			id: z.string(),
			title: z.string(),
			description: z.string().optional(),
			posterUrl: z.string().optional(),
			status: statusSchema,
			scheduledStartTime: z.iso.datetime().optional(),
		}),
	})
	.openapi("Joined", { description: "Shown only now" });
