import type { Limits } from "../../limits.ts";
import type { NewWebhook } from "../../protocol/broadcast-commands.ts";
import { done, type Outcome, refused } from "../../protocol/problem.ts";
import type { BroadcastRecord } from "../broadcast-record.ts";
import { DEPLOYMENT_WEBHOOK_ID } from "../events/webhook-message.ts";
import type { Applied } from "./applied.ts";

export function addWebhook(
	record: BroadcastRecord,
	{ type: _, ...webhook }: { readonly type: "add-webhook" } & NewWebhook,
	nowMs: number,
	{ maxWebhooks }: Pick<Limits, "maxWebhooks">,
): Outcome<Applied> {
	// The deployment's own is one more.
	const own = record.webhooks.filter(({ webhookId }) => webhookId !== DEPLOYMENT_WEBHOOK_ID);
	if (own.length >= maxWebhooks) {
		return refused("too-many", `webhook: expected at most ${maxWebhooks} a broadcast, got one more`);
	}
	return done({ record: { ...record, webhooks: [...record.webhooks, { ...webhook, createdAtMs: nowMs }] } });
}

export function removeWebhook(record: BroadcastRecord, webhookId: string): Outcome<Applied> {
	const webhooks = record.webhooks.filter((webhook) => webhook.webhookId !== webhookId);
	return webhooks.length === record.webhooks.length
		? refused("not-found", "webhook: expected one of this broadcast's, got an id that is none of them")
		: done({ record: { ...record, webhooks } });
}
