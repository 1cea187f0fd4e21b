import type { CompositorAssignment, CompositorPageStatus } from "../worker/protocol/pool-messages.ts";
import type { FromPipeline, ToPipeline } from "./pipeline/worker-messages.ts";
import { PeerDesk } from "./real-time/peer-desk.ts";

/**
 * The page owns only what a worker cannot: WebRTC connections, and the globals through which the runner starts it and asks how it is.
 * The worker is loaded at once, so that a warm spare has everything but its assignment.
 */

let status: CompositorPageStatus = { state: "idle", programFrames: 0 };

const pipeline = new Worker(new URL("./pipeline-worker.ts", import.meta.url), { type: "module", name: "pipeline" });

pipeline.onmessage = (event: MessageEvent<FromPipeline>) => {
	const message = event.data;
	switch (message.type) {
		case "status":
			status = message.status;
			if (status.state === "closed" || status.state === "failed") {
				peers.close();
			}
			break;
		case "log":
			console[message.level](message.text);
			break;
		case "peers":
			peers.take(message.message);
			break;
		default:
			message satisfies never;
	}
};
pipeline.onerror = (event) => {
	status = { ...status, state: "failed", reason: `pipeline worker: ${event.message}` };
};

const peers = new PeerDesk(pipeline, (message) => post({ type: "peers", message }));

function post(message: ToPipeline): void {
	pipeline.postMessage(message);
}

declare global {
	var tandemStart: (assignment: CompositorAssignment) => void;
	var tandemStatus: () => CompositorPageStatus;
	var tandemStop: () => void;
}

globalThis.tandemStart = (assignment) => {
	if (status.state !== "idle") {
		throw new Error(`compositor page: expected to be idle, got an assignment while ${status.state}`);
	}
	status = { state: "starting", programFrames: 0 };
	console.info(
		`compositor page: composes broadcast ${assignment.broadcastId}, request ${assignment.requestId ?? "none"}`,
	);
	post({ type: "start", assignment });
};
globalThis.tandemStatus = () => status;
globalThis.tandemStop = () => post({ type: "stop" });
