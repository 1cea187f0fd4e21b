import { DurableObject } from "cloudflare:workers";
import { answerClose } from "../answer-close.ts";
import type { Env } from "../env.ts";
import { createLog } from "../log.ts";
import type { AudienceRpc, PublicState } from "../protocol/audience.ts";
import { CLOSE, closeReason } from "../protocol/close-codes.ts";
import { CONTROL_PING_TEXT, CONTROL_PONG_TEXT } from "../protocol/control-messages.ts";
import { type AudiencePlace, readPlace } from "./audience-place.ts";
import { AudienceRoom, type AudienceSocket, type StoredRoom } from "./audience-room.ts";

const ROOM_KEY = "room";

const log = createLog("audience");

/** One shard of a broadcast's audience, named `${broadcastId}/${shard}`. A shell: what it decides is decided in AudienceRoom. */
export class Audience extends DurableObject<Env> implements AudienceRpc {
	#place: AudiencePlace | undefined;
	#room: AudienceRoom;

	constructor(state: DurableObjectState, env: Env) {
		super(state, env);
		this.#room = this.#roomOf(undefined, undefined);
		this.ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(CONTROL_PING_TEXT, CONTROL_PONG_TEXT));
		this.ctx.blockConcurrencyWhile(async () => {
			const stored = await this.ctx.storage.get<StoredRoom & { readonly place: AudiencePlace }>(ROOM_KEY);
			this.#place = stored?.place;
			this.#room = this.#roomOf(stored, (await this.ctx.storage.getAlarm()) ?? undefined);
		});
	}

	/** A socket for one more; 404 where there is no such broadcast, 503 when the shard is full. */
	override async fetch(request: Request): Promise<Response> {
		this.#place = readPlace(new URL(request.url));
		const { 0: client, 1: server } = new WebSocketPair();
		const accept = () => {
			this.ctx.acceptWebSocket(server);
			return asAudienceSocket(server);
		};
		const joined = await this.#room.join(accept, Date.now());
		if (!joined.ok) {
			return new Response(joined.refusal.detail, { status: joined.refusal.kind === "not-found" ? 404 : 503 });
		}
		return new Response(null, { status: 101, webSocket: client });
	}

	async stateChanged(state: PublicState): Promise<void> {
		await this.#room.stateChanged(state);
	}

	async dismiss(reason: string): Promise<void> {
		await this.#room.dismiss(reason);
	}

	override async webSocketMessage(socket: WebSocket): Promise<void> {
		// Pings are answered by the platform and do not come here.
		asAudienceSocket(socket).close("forbidden", "audience: expected nothing but pings, got a message");
	}

	override async webSocketClose(socket: WebSocket): Promise<void> {
		answerClose(socket);
		await this.#room.left(Date.now());
	}

	override async webSocketError(): Promise<void> {
		await this.#room.left(Date.now());
	}

	override async alarm(): Promise<void> {
		await this.#room.wake(Date.now());
	}

	#roomOf(stored: StoredRoom | undefined, wakeAtMs: number | undefined): AudienceRoom {
		return new AudienceRoom(stored, wakeAtMs, {
			sockets: () => this.ctx.getWebSockets().filter(isOpen).map(asAudienceSocket),
			tellCount: (count) => {
				const { broadcastId, shard } = this.#joinedPlace();
				return this.env.BROADCAST.getByName(broadcastId).audienceCounted({ shard, count });
			},
			save: (room) => this.ctx.storage.put(ROOM_KEY, { ...room, place: this.#joinedPlace() }),
			// Together, so that nothing is written between the two.
			clear: async () => void (await Promise.all([this.ctx.storage.deleteAlarm(), this.ctx.storage.deleteAll()])),
			wakeAt: (timeMs) => this.ctx.storage.setAlarm(timeMs),
			report: (message, error) => log.warn(message, { error }),
		});
	}

	#joinedPlace(): AudiencePlace {
		if (this.#place === undefined) {
			throw new Error("audience: expected somebody to have joined, got an empty shard");
		}
		return this.#place;
	}
}

function isOpen(socket: WebSocket): boolean {
	return socket.readyState === WebSocket.OPEN;
}

function asAudienceSocket(socket: WebSocket): AudienceSocket {
	return {
		send: (text) => socket.send(text),
		close: (kind, reason) => socket.close(CLOSE[kind].code, closeReason(reason)),
	};
}
