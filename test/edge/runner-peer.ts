import { type JsonSocket, openSocket } from "./api-client.ts";

const RUNNER_TOKEN = "test-runner-token";

export interface Assignment {
	readonly leaseId: string;
	readonly broadcastId: string;
	readonly fence: number;
	readonly token: string;
}

/** A runner without a browser: takes assignments, and reports what a test tells it to. */
export class RunnerPeer {
	readonly socket: JsonSocket;

	constructor(socket: JsonSocket) {
		this.socket = socket;
	}

	static async connect(runnerId: string, capacity: number, leaseIds: string[] = []): Promise<RunnerPeer> {
		const socket = await openSocket("/api/runners/connect", { token: RUNNER_TOKEN });
		socket.send({ type: "hello", runnerId, capacity, leaseIds });
		return new RunnerPeer(socket);
	}

	async assigned(broadcastId: string): Promise<Assignment> {
		return (await this.socket.take(
			"assign",
			(message) => message.broadcastId === broadcastId,
		)) as unknown as Assignment;
	}

	async toldToRelease(leaseId: string): Promise<void> {
		await this.socket.take("release", (message) => message.leaseId === leaseId);
	}

	heartbeat(leaseId: string, programFrames: number): void {
		this.socket.send({ type: "heartbeat", leases: [{ leaseId, state: "running", programFrames }] });
	}

	released(leaseId: string, reason: string): void {
		this.socket.send({ type: "released", leaseId, reason });
	}

	close(): void {
		this.socket.socket.close(1000);
	}
}
