import { createRoute, z } from "@hono/zod-openapi";
import { joinPath } from "../audience/audience-place.ts";
import { calendarOf } from "../audience/calendar.ts";
import { audienceShards, shardsToTry } from "../audience/choose-shard.ts";
import { publicTimes } from "../audience/public-state.ts";
import { isOver } from "../broadcast/lifecycle.ts";
import type { PublicView } from "../protocol/audience.ts";
import { answers, jsonBody, newApiApp, PROBLEM_ANSWER, SECURED } from "./api-app.ts";
import { ApiProblem, valueFrom } from "./api-problem.ts";
import { idParamSchema } from "./broadcasts.ts";
import { allow, broadcastIdOf, broadcastOf } from "./guard.ts";
import { statusSchema } from "./schemas.ts";
import { socketRoute, upgraded, upgradeFor } from "./socket-refusal.ts";

/** What everyone asks for may be two seconds old, wherever it is kept on its way. */
const VIEW_MAX_AGE_S = 2;
/** Calendars ask every few hours at most. */
const CALENDAR_MAX_AGE_S = 60;
/** The longest e-mail address (RFC 5321 §4.5.3.1.3, without its brackets); push endpoints are shorter. */
const MAX_CONTACT_LENGTH = 254;

export const publicBroadcastSchema = z
	.object({
		id: z.string(),
		title: z.string(),
		description: z.string().optional(),
		posterUrl: z.string().optional(),
		hostName: z.string(),
		status: statusSchema,
		scheduledStartTime: z.iso.datetime().optional(),
		startedAt: z.iso.datetime().optional(),
		endedAt: z.iso.datetime().optional(),
		viewers: z.int().openapi({ description: "People who wait or watch; up to half a minute old" }),
		links: z.object({
			watch: z.url().optional().openapi({ description: "The page to watch it on, until it is over" }),
			calendar: z.url().openapi({ description: "For calendars (RFC 5545); there is one when it has a start" }),
		}),
	})
	.openapi("PublicBroadcast");

const newReminderSchema = z
	.strictObject({
		contact: z.string().trim().min(1).max(MAX_CONTACT_LENGTH).openapi({
			description:
				"Where to remind them, such as an e-mail address: yours to make sense of. Kept encrypted, shown nowhere",
			example: "somebody@example.com",
		}),
	})
	.openapi("NewReminder");

const reminderSchema = z.object({ id: z.string() }).openapi("Reminder");

const reminderCountSchema = z
	.object({
		count: z.int(),
		dueTime: z.iso.datetime().optional().openapi({ description: "When they are sent; absent where nothing is to be" }),
	})
	.openapi("ReminderCount");

/** What needs no token: anyone who has the id may ask. */
export const publicPages = newApiApp()
	.openapi(
		createRoute({
			method: "get",
			path: "/{id}/public",
			summary: "What anyone may know of a broadcast",
			description: "Needs no token.",
			request: { params: idParamSchema },
			responses: {
				...answers(200, "The broadcast, as the public sees it", publicBroadcastSchema),
				304: { description: "The client has it as it is" },
			},
		}),
		async (c) => {
			const view = valueFrom(await broadcastOf(c).publicView());
			const tag = `"${view.version}-${view.viewers}"`;
			c.header("ETag", tag);
			c.header("Cache-Control", `public, max-age=${VIEW_MAX_AGE_S}`);
			if (holdsTag(c.req.header("If-None-Match"), tag)) {
				return c.body(null, 304);
			}
			return c.json(publicAnswer(view, new URL(c.req.url).origin), 200);
		},
	)
	.openapi(
		createRoute({
			method: "get",
			path: "/{id}/public.ics",
			summary: "The broadcast as a calendar's entry (RFC 5545)",
			description:
				"Needs no token. Imported again, it replaces the entry from before; of a cancelled broadcast it takes it away.",
			request: { params: idParamSchema },
			responses: {
				200: { description: "The entry", content: { "text/calendar": { schema: z.string() } } },
				default: PROBLEM_ANSWER,
			},
		}),
		async (c) => {
			const view = valueFrom(await broadcastOf(c).publicView());
			const { id, scheduledStartMs } = view;
			if (scheduledStartMs === undefined) {
				throw new ApiProblem(
					"wrong-state",
					"calendar: expected a broadcast with a scheduledStartTime, got one without",
				);
			}
			const { origin } = new URL(c.req.url);
			const entry = calendarOf({ ...view, scheduledStartMs }, watchUrl(id, origin), Date.now());
			return c.body(entry, 200, {
				"Content-Type": "text/calendar; charset=utf-8",
				"Content-Disposition": `attachment; filename="${id}.ics"`,
				"Cache-Control": `public, max-age=${CALENDAR_MAX_AGE_S}`,
			});
		},
	)
	.openapi(
		createRoute({
			method: "post",
			path: "/{id}/public/reminders",
			summary: "Ask to be reminded before it starts",
			description:
				"Needs no token. The event `reminder.due` tells your own system whom to remind. The same contact has the same id, whether it was on the list or not.",
			request: { params: idParamSchema, body: jsonBody(newReminderSchema) },
			responses: answers(202, "On the list", reminderSchema),
		}),
		async (c) => {
			const { contact } = c.req.valid("json");
			const { id } = valueFrom(await broadcastOf(c).addReminder(contact));
			c.header("Cache-Control", "no-store");
			return c.json({ id }, 202);
		},
	)
	.openapi(
		createRoute({
			method: "delete",
			path: "/{id}/public/reminders/{reminderId}",
			summary: "Ask not to be reminded after all",
			description: "Needs no token. Also done when it was done before.",
			request: { params: idParamSchema.extend({ reminderId: z.string() }) },
			responses: { 204: { description: "Not on the list" }, default: PROBLEM_ANSWER },
		}),
		async (c) => {
			valueFrom(await broadcastOf(c).removeReminder(c.req.valid("param").reminderId));
			return c.body(null, 204);
		},
	)
	.openapi(
		createRoute({
			method: "get",
			path: "/{id}/reminders",
			summary: "How many are to be reminded, and when",
			description: "Their contacts are in the event `reminder.due` and nowhere else.",
			security: SECURED,
			middleware: [allow("operate")] as const,
			request: { params: idParamSchema },
			responses: answers(200, "As it stands", reminderCountSchema),
		}),
		async (c) => {
			const { count, dueAtMs } = valueFrom(await broadcastOf(c).countReminders());
			c.header("Cache-Control", "no-store");
			return c.json({ count, ...(dueAtMs === undefined ? {} : { dueTime: new Date(dueAtMs).toISOString() }) }, 200);
		},
	);

publicPages.openAPIRegistry.registerPath({
	method: "get",
	path: "/{id}/audience",
	summary: "WebSocket: how the broadcast stands, for those who wait and watch (JSON)",
	description:
		'Needs no token. `{"type":"state",…}` comes on joining and on every change, a total that changed alone at most every 5 s. The client sends nothing but `{"type":"ping"}`, which is answered by `{"type":"pong"}`. Whoever is connected counts as a viewer.',
	request: { params: idParamSchema },
	responses: { 101: { description: "The socket is open" }, default: PROBLEM_ANSWER },
});

publicPages.get(
	"/:id/audience",
	socketRoute(async (c) => {
		const broadcastId = broadcastIdOf(c);
		for (const shard of shardsToTry(audienceShards(c.env.AUDIENCE_SHARDS), Math.random())) {
			const upgrade = upgradeFor(joinPath({ broadcastId, shard }), c.req.raw);
			const answer = await c.env.AUDIENCE.getByName(`${broadcastId}/${shard}`).fetch(upgrade);
			if (answer.status !== 503) {
				return upgraded(answer, c.req.raw);
			}
			await answer.body?.cancel();
		}
		throw new ApiProblem("too-many", "audience: expected a shard with a place, got none: try again later");
	}),
);

function publicAnswer(view: PublicView, origin: string): z.infer<typeof publicBroadcastSchema> {
	const { id, title, description, posterUrl, hostName, status, viewers } = view;
	return {
		id,
		title,
		...(description === undefined ? {} : { description }),
		...(posterUrl === undefined ? {} : { posterUrl }),
		hostName,
		status,
		...publicTimes(view),
		viewers,
		links: {
			...(isOver(status) ? {} : { watch: watchUrl(id, origin) }),
			calendar: `${origin}/api/broadcasts/${id}/public.ics`,
		},
	};
}

function watchUrl(broadcastId: string, origin: string): string {
	return `${origin}/watch/${broadcastId}`;
}

/** Whether an `If-None-Match` header (RFC 9110 §13.1.2) names the tag, compared weakly. */
function holdsTag(header: string | undefined, tag: string): boolean {
	const tags = header?.split(",").map((each) => each.trim().replace(/^W\//, "")) ?? [];
	return tags.includes(tag) || tags.includes("*");
}
