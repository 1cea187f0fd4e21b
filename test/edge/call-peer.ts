import { type JsonSocket, openSocket } from "./api-client.ts";

export interface SeenPeer {
	readonly id: string;
	readonly connection: string;
	readonly realTime: boolean;
}

export interface SeenCall {
	readonly self: SeenPeer;
	readonly peers: readonly SeenPeer[];
	readonly iceServers: readonly { readonly urls: readonly string[]; readonly username?: string }[];
	readonly iceServersUntilMs?: number;
}

/** One end of a call: a control socket, and what it was told last. */
export class CallPeer {
	readonly control: JsonSocket;

	constructor(control: JsonSocket) {
		this.control = control;
	}

	static async open(id: string, token: string): Promise<CallPeer> {
		return new CallPeer(await openSocket(`/api/broadcasts/${id}/control`, { token }));
	}

	/** A person who has joined, and has been told of it. */
	static async join(id: string, token: string, more: Record<string, unknown> = {}): Promise<[CallPeer, SeenCall]> {
		const peer = await CallPeer.open(id, token);
		return [peer, await peer.joins(more)];
	}

	joins(more: Record<string, unknown> = {}): Promise<SeenCall> {
		this.control.send({ type: "join-call", realTime: true, streams: false, ...more });
		return this.call();
	}

	/** The next `call` with exactly these peers, those before it passed over. */
	async call(peers?: readonly string[]): Promise<SeenCall> {
		const isIt = (message: Record<string, unknown>) =>
			peers === undefined || idsOf(message as unknown as SeenCall).join() === peers.join();
		const found = await this.control.take("call", isIt);
		return found as unknown as SeenCall;
	}

	says(to: SeenPeer | undefined, signal: Record<string, unknown>): void {
		this.control.send({ type: "signal", to: to?.id, connection: to?.connection, signal });
	}

	/** What came by then; a pong comes after all that was sent before it. */
	async hears(): Promise<Record<string, unknown>[]> {
		// Not the text that the edge answers by itself.
		this.control.send('{"type": "ping"}');
		await this.control.take("pong");
		return this.control.messages
			.splice(0)
			.filter(({ type }) => type === "signal" || type === "call" || type === "error");
	}
}

export const idsOf = ({ peers }: SeenCall): string[] => peers.map(({ id }) => id);

export const peerIn = ({ peers }: SeenCall, id: string): SeenPeer | undefined => peers.find((peer) => peer.id === id);

export const OFFER = { kind: "description", type: "offer", sdp: "v=0\r\n" } as const;
