import type { NewWebhook } from "../../protocol/broadcast-commands.ts";
import { done, type Outcome, refused } from "../../protocol/problem.ts";
import type { BroadcastRecord } from "../broadcast-record.ts";
import type { Applied } from "./apply-command.ts";

/** The operator's own system and some services around it. */
export const MAX_WEBHOOKS = 5;

export function addWebhook(
	record: BroadcastRecord,
	{ type: _, ...webhook }: { readonly type: "add-webhook" } & NewWebhook,
	nowMs: number,
): Outcome<Applied> {
	if (record.webhooks.length >= MAX_WEBHOOKS) {
		return refused("too-many", `webhook: expected at most ${MAX_WEBHOOKS} a broadcast, got one more`);
	}
	return done({ record: { ...record, webhooks: [...record.webhooks, { ...webhook, createdAtMs: nowMs }] } });
}

export function removeWebhook(record: BroadcastRecord, webhookId: string): Outcome<Applied> {
	const webhooks = record.webhooks.filter((webhook) => webhook.webhookId !== webhookId);
	return webhooks.length === record.webhooks.length
		? refused("not-found", "webhook: expected one of this broadcast's, got an id that is none of them")
		: done({ record: { ...record, webhooks } });
}
