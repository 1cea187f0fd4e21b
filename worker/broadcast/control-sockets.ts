import { z } from "zod";
import { iceGrantSchema } from "../ice/ice-desk.ts";
import { CLOSE, closeReason } from "../protocol/close-codes.ts";
import { CONTROL_PING_TEXT, CONTROL_PONG_TEXT } from "../protocol/control-messages.ts";
import { personIdSchema, roleSchema } from "../protocol/roles.ts";
import { connectionIdSchema } from "../protocol/signaling.ts";
import type { CallSeat, ControlMember, ControlSocket } from "./control-socket.ts";

/** What survives hibernation with each socket. */
const memberSchema = z.object({
	role: roleSchema,
	person: personIdSchema.optional(),
	/** Of the credentials a person came with. */
	ver: z.coerce.number().int().positive().optional(),
	fence: z.coerce.number().int().positive().optional(),
});
/** Under the 2 KiB that the runtime lets an attachment have: a grant is small (worker/ice/cloudflare-turn.ts). */
const attachmentSchema = memberSchema.extend({
	openedAtMs: z.number().optional(),
	seat: z.object({ connection: connectionIdSchema, ice: iceGrantSchema.optional() }).optional(),
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
	server.serializeAttachment({ ...member, openedAtMs: Date.now() });
	state.acceptWebSocket(server);
	return { response: new Response(null, { status: 101, webSocket: client }), socket: wrapControlSocket(state, server) };
}

export function openControlSockets(state: DurableObjectState): ControlSocket[] {
	return state
		.getWebSockets()
		.filter((socket) => socket.readyState === WebSocket.OPEN)
		.map((socket) => wrapControlSocket(state, socket));
}

export function wrapControlSocket(state: DurableObjectState, socket: WebSocket): ControlSocket {
	const attachment = () => attachmentSchema.parse(socket.deserializeAttachment());
	const { openedAtMs, ...rest } = attachment();
	const member = toMember(rest);
	return {
		...member,
		openedAtMs: openedAtMs ?? 0,
		line: socket,
		get seat(): CallSeat | undefined {
			const { seat } = attachment();
			return seat && { connection: seat.connection, ...(seat.ice === undefined ? {} : { ice: seat.ice }) };
		},
		sit: (seat) => socket.serializeAttachment({ ...member, openedAtMs, ...(seat === undefined ? {} : { seat }) }),
		isOpen: () => socket.readyState === WebSocket.OPEN,
		heardAtMs: () => state.getWebSocketAutoResponseTimestamp(socket)?.getTime(),
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
