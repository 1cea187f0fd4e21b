import { MS_PER_SECOND } from "../../media/units.ts";
import type { PeerFiguresRead } from "./peer-messages.ts";

const BITS_PER_BYTE = 8;

interface Totals {
	readonly atMs: number;
	readonly bytes: number;
	readonly received: number;
	readonly lost: number;
}

/** Reads one connection's figures; rates and shares are of the time between two readings. */
export class PeerFigures {
	#last: Totals | undefined;

	async read(connection: RTCPeerConnection): Promise<PeerFiguresRead> {
		const reports = [...(await connection.getStats()).values()] as StatsReport[];
		const inbound = reports.filter(({ type }) => type === "inbound-rtp");
		const totals: Totals = {
			atMs: Math.max(0, ...inbound.map(({ timestamp = 0 }) => timestamp)),
			bytes: sum(inbound.map(({ bytesReceived }) => bytesReceived)),
			received: sum(inbound.map(({ packetsReceived }) => packetsReceived)),
			lost: sum(inbound.map(({ packetsLost }) => packetsLost)),
		};
		const last = this.#last ?? totals;
		this.#last = totals;
		const lost = Math.max(0, totals.lost - last.lost);
		const received = Math.max(0, totals.received - last.received);
		const elapsedMs = totals.atMs - last.atMs;
		const pair = reports.find(({ type, nominated, state }) => {
			return type === "candidate-pair" && nominated === true && state === "succeeded";
		});
		const local = reports.find(({ id }) => id === pair?.localCandidateId);
		const roundTripS = pair?.currentRoundTripTime;
		return {
			state: stateOf(connection.connectionState),
			...(roundTripS === undefined ? {} : { roundTripMs: roundTripS * MS_PER_SECOND }),
			lossRatio: lost === 0 ? 0 : lost / (lost + received),
			jitterMs: Math.max(0, ...inbound.map(({ jitter = 0 }) => jitter)) * MS_PER_SECOND,
			bitrateBps:
				elapsedMs > 0 ? Math.round(((totals.bytes - last.bytes) * BITS_PER_BYTE * MS_PER_SECOND) / elapsedMs) : 0,
			relayed: local?.candidateType === "relay",
		};
	}
}

/** Of the members of RTCStats (W3C WebRTC Statistics) those that are looked at. */
interface StatsReport {
	readonly id: string;
	readonly type: string;
	readonly timestamp?: number;
	readonly bytesReceived?: number;
	readonly packetsReceived?: number;
	readonly packetsLost?: number;
	readonly jitter?: number;
	readonly nominated?: boolean;
	readonly state?: string;
	readonly localCandidateId?: string;
	readonly currentRoundTripTime?: number;
	readonly candidateType?: string;
}

function stateOf(state: RTCPeerConnectionState): PeerFiguresRead["state"] {
	if (state === "connected") {
		return "connected";
	}
	return state === "new" || state === "connecting" ? "connecting" : "interrupted";
}

function sum(values: readonly (number | undefined)[]): number {
	return values.reduce<number>((total, value) => total + (value ?? 0), 0);
}
