/** What is looked at of one connection's statistics (W3C webrtc-stats); what a platform does not tell is absent. */
export interface LineFigures {
	/** All media and control packets that have come, in bytes. What only keeps the line open does not count. */
	readonly bytesReceived?: number;
	/** Of the picture, since it began: packets sent, and how long they waited in the sender for their turn, together. */
	readonly packetsSent?: number;
	readonly waitedMs?: number;
	/** By a TURN server. */
	readonly isRelayed: boolean;
}

/** The members that are read, of transports, candidate pairs, candidates and outbound streams (§8). */
interface SeenStats {
	readonly id: string;
	readonly type?: string;
	readonly kind?: string;
	readonly bytesReceived?: number;
	readonly selectedCandidatePairId?: string;
	readonly localCandidateId?: string;
	readonly candidateType?: string;
	readonly packetsSent?: number;
	/** In seconds. */
	readonly totalPacketSendDelay?: number;
}

const MS_PER_SECOND = 1_000;

export async function readLineFigures(connection: Pick<RTCPeerConnection, "getStats">): Promise<LineFigures> {
	const byId = new Map<string, SeenStats>();
	(await connection.getStats()).forEach((each: SeenStats) => {
		byId.set(each.id, each);
	});
	const all = [...byId.values()];
	const transports = all.filter(({ type, bytesReceived }) => type === "transport" && bytesReceived !== undefined);
	const picture = all.find(({ type, kind }) => type === "outbound-rtp" && kind === "video");
	const { packetsSent, totalPacketSendDelay } = picture ?? {};
	return {
		...(transports.length > 0
			? { bytesReceived: transports.reduce((sum, { bytesReceived = 0 }) => sum + bytesReceived, 0) }
			: {}),
		...(packetsSent !== undefined && totalPacketSendDelay !== undefined
			? { packetsSent, waitedMs: totalPacketSendDelay * MS_PER_SECOND }
			: {}),
		isRelayed: all.some(({ selectedCandidatePairId }) => {
			const pair = byId.get(selectedCandidatePairId ?? "");
			return byId.get(pair?.localCandidateId ?? "")?.candidateType === "relay";
		}),
	};
}
