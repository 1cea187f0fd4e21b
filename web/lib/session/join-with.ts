import type { DeviceKind } from "../devices/device-words.ts";
import type { Platform } from "../platform/platform.ts";
import type { BroadcastSession, JoinOptions } from "../session-types.ts";
import { broadcastAddress } from "./broadcast-address.ts";
import { Session } from "./session.ts";
import { personOfToken } from "./token-person.ts";

/** `joinBroadcast` in a browser of the caller's. */
export async function joinWith(options: JoinOptions, platform: Platform): Promise<BroadcastSession> {
	const { url, token, devices = {}, camera = true, microphone = true } = options;
	const address = broadcastAddress(url);
	const person = personOfToken(token);
	if (person === undefined) {
		throw new Error("This link does not let you into the show as somebody to be seen and heard.");
	}
	const videoCodec = await platform.preferredVideoCodec();
	const session = new Session({ platform, address, token, person, devices, videoCodec });
	const wanted: readonly DeviceKind[] = [
		...(camera ? (["camera"] as const) : []),
		...(microphone ? (["microphone"] as const) : []),
	];
	await session.enter(wanted);
	return session;
}
