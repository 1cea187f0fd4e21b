import { z } from "zod";
import { CLOSE, closeReason } from "../protocol/close-codes.ts";
import { CONTROL_PING_TEXT, CONTROL_PONG_TEXT } from "../protocol/control-messages.ts";
import { personIdSchema, roleSchema } from "../protocol/roles.ts";
import type { ControlMember, ControlSocket } from "./control-room.ts";

/** What survives hibernation with each socket. */
const memberSchema = z.object({
	role: roleSchema,
	person: personIdSchema.optional(),
	/** Of the credentials a person came with. */
	ver: z.coerce.number().int().positive().optional(),
	fence: z.coerce.number().int().positive().optional(),
});

/** Answered by the runtime, without waking the object. */
export const PING_PONG = new WebSocketRequestResponsePair(CONTROL_PING_TEXT, CONTROL_PONG_TEXT);

/** Who the route says is joining. @throws when it does not say. */
export function readMember(url: URL): ControlMember {
	return toMember(memberSchema.parse(Object.fromEntries(url.searchParams)));
}

/** Takes the socket of a new member, hibernatable. */
export function acceptControlSocket(
	state: DurableObjectState,
	member: ControlMember,
): { readonly response: Response; readonly socket: ControlSocket } {
	const { 0: client, 1: server } = new WebSocketPair();
	server.serializeAttachment(member);
	state.acceptWebSocket(server);
	return { response: new Response(null, { status: 101, webSocket: client }), socket: wrapControlSocket(server) };
}

export function openControlSockets(state: DurableObjectState): ControlSocket[] {
	return state
		.getWebSockets()
		.filter((socket) => socket.readyState === WebSocket.OPEN)
		.map(wrapControlSocket);
}

export function wrapControlSocket(socket: WebSocket): ControlSocket {
	return {
		...toMember(memberSchema.parse(socket.deserializeAttachment())),
		send: (text) => {
			// What somebody asked for may have been their own end: its closing is the answer then.
			if (socket.readyState === WebSocket.OPEN) {
				socket.send(text);
			}
		},
		close: (kind, reason) => socket.close(CLOSE[kind].code, closeReason(reason)),
	};
}

function toMember({ role, person, ver, fence }: z.infer<typeof memberSchema>): ControlMember {
	return {
		role,
		...(person === undefined ? {} : { person }),
		...(ver === undefined ? {} : { ver }),
		...(fence === undefined ? {} : { fence }),
	};
}
