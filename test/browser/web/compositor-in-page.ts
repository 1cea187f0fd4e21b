import type { ControlEvent, ControlRequest } from "../../../worker/protocol/control-messages.ts";
import type { PeerId, Signal } from "../../../worker/protocol/signaling.ts";

/** The compositor's end of a person's uplink, made of nothing but the platform: what is offered, and what comes. */

interface Seen {
	readonly sdp: string;
	readonly connection: RTCPeerConnection;
	readonly media: string[];
}

const seen = new Map<PeerId, Seen>();
let socket: WebSocket | undefined;
let refuses = false;

export async function open(origin: string, token: string, refusing: boolean): Promise<void> {
	refuses = refusing;
	const opened = new WebSocket(`${origin.replace("http", "ws")}/api/broadcasts/b1/control`, [
		"tandem",
		`bearer.${token}`,
	]);
	socket = opened;
	opened.onmessage = ({ data }) => {
		const event = JSON.parse(String(data)) as ControlEvent;
		if (event.type === "signal") {
			void take(event.from, event.connection, event.signal);
		}
	};
	await new Promise((resolve) => {
		opened.onopen = resolve;
	});
}

export function close(): void {
	socket?.close();
	for (const { connection } of seen.values()) {
		connection.close();
	}
	seen.clear();
}

async function take(from: PeerId, connection: string, signal: Signal): Promise<void> {
	if (signal.kind === "description" && signal.type === "offer") {
		if (refuses) {
			say(from, connection, { kind: "bye", reason: "no WebRTC here" });
			return;
		}
		const peer = seen.get(from)?.connection ?? newPeer(from, connection);
		const media = [...signal.sdp.matchAll(/^a=(sendonly|sendrecv|recvonly|inactive)/gm)].map(([, each = ""]) => each);
		seen.set(from, { sdp: signal.sdp, connection: peer, media });
		await peer.setRemoteDescription({ type: "offer", sdp: signal.sdp });
		await peer.setLocalDescription();
		say(from, connection, { kind: "description", type: "answer", sdp: peer.localDescription?.sdp ?? "" });
	} else if (signal.kind === "candidate") {
		const { kind: _, ...candidate } = signal;
		await seen.get(from)?.connection.addIceCandidate(candidate as RTCIceCandidateInit);
	}
}

function newPeer(from: PeerId, connection: string): RTCPeerConnection {
	const peer = new RTCPeerConnection();
	peer.onicecandidate = ({ candidate }) => {
		if (candidate !== null) {
			say(from, connection, { kind: "candidate", ...(candidate.toJSON() as { candidate: string }) });
		}
	};
	return peer;
}

export function advise(from: PeerId, to: string, signal: Signal): void {
	say(from, to, signal);
}

function say(to: PeerId, connection: string, signal: Signal): void {
	const request: ControlRequest = { type: "signal", to, connection, signal };
	socket?.send(JSON.stringify(request));
}

/** What came of one person's offer, and frames that have been received. */
export async function received(
	from: PeerId,
): Promise<{ offer: string; media: string[]; frames: number; height: number } | undefined> {
	const person = seen.get(from);
	let frames = 0;
	let height = 0;
	(await person?.connection.getStats())?.forEach(
		(each: { type: string; kind?: string; framesReceived?: number; frameHeight?: number }) => {
			if (each.type === "inbound-rtp" && each.kind === "video") {
				frames = each.framesReceived ?? 0;
				height = each.frameHeight ?? 0;
			}
		},
	);
	return person && { offer: person.sdp, media: person.media, frames, height };
}
