import { browserPlatform } from "./platform/browser-platform.ts";
import { joinWith } from "./session/join-with.ts";
import type { JoinBroadcast } from "./session-types.ts";

export type * from "./session-types.ts";

/**
 * Takes camera and microphone, joins the broadcast, and sends. What was left out of `camera` and `microphone` is on.
 *
 * @throws with words for people where devices or the broadcast say no
 */
export const joinBroadcast: JoinBroadcast = (options) => joinWith(options, browserPlatform(options.mediaSource));
