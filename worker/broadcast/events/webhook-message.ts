import { type SealingEnv, unseal } from "../../auth/sealing.ts";
import type { NewWebhook } from "../../protocol/broadcast-commands.ts";
import { type StoredEvent, shownEvent } from "./outbox.ts";
import type { WebhookRow } from "./webhook-book.ts";

/** The deployment's own webhook, which every new broadcast has. */
export const DEPLOYMENT_WEBHOOK_ID = "deployment";

export interface DeploymentSecretEnv {
	readonly WEBHOOK_SECRET?: string;
}

/** What a webhook's sealed secret is for, so that it opens in its own broadcast only. */
export function webhookUse(broadcastId: string): string {
	return `webhook:${broadcastId}`;
}

/** The same of what an event holds for webhooks only. */
export function eventUse(broadcastId: string): string {
	return `event:${broadcastId}`;
}

/** The webhook that the deployment's settings name; its secret stays in the settings. */
export function deploymentWebhooks(env: DeploymentSecretEnv & { readonly WEBHOOK_URL?: string }): NewWebhook[] {
	const { WEBHOOK_URL: url, WEBHOOK_SECRET } = env;
	return url && WEBHOOK_SECRET ? [{ webhookId: DEPLOYMENT_WEBHOOK_ID, url, sealedSecret: "", events: [] }] : [];
}

/** The event as a webhook gets it. @throws {SealingError} when what is sealed of it cannot be opened any more */
export async function deliveryBody(broadcastId: string, event: StoredEvent, env: SealingEnv): Promise<string> {
	const shown = shownEvent(broadcastId, event);
	if (event.sealed === undefined) {
		return JSON.stringify(shown);
	}
	const opened = JSON.parse(await unseal(event.sealed, env, eventUse(broadcastId))) as Record<string, unknown>;
	return JSON.stringify({ ...shown, data: { ...shown.data, ...opened } });
}

/** What signs a webhook's deliveries. @throws when there is nothing to sign with */
export async function deliverySecrets(
	{ webhookId, broadcastId, sealedSecret }: WebhookRow,
	env: SealingEnv & DeploymentSecretEnv,
): Promise<string> {
	if (webhookId !== DEPLOYMENT_WEBHOOK_ID) {
		return unseal(sealedSecret, env, webhookUse(broadcastId));
	}
	if (!env.WEBHOOK_SECRET) {
		throw new Error("webhook: expected the secret WEBHOOK_SECRET to be set, got none");
	}
	return env.WEBHOOK_SECRET;
}
