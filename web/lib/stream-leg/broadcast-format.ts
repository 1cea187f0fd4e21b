import { answerOf, apiClient } from "../api-client.ts";
import type { StreamLegOptions } from "./worker-messages.ts";

/** What a stream must be to leave as the program unchanged. */
export interface BroadcastFormat {
	readonly width: number;
	readonly height: number;
	readonly frameRate: number;
	readonly videoBitrateBps: number;
}

/** Asks the broadcast. @throws {ApiRefusalError} when it says no, something else when it cannot be reached */
export async function fetchFormat(
	options: Pick<StreamLegOptions, "apiUrl" | "broadcastId" | "token">,
): Promise<BroadcastFormat> {
	const { apiUrl, broadcastId, token } = options;
	const call = apiClient(new URL(apiUrl).origin, { token }).broadcasts[":id"].$get({ param: { id: broadcastId } });
	const { width, height, frameRate, videoBitrate } = await answerOf(call);
	return { width, height, frameRate, videoBitrateBps: videoBitrate };
}
