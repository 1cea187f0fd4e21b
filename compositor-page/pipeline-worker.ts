import type { CompositorAssignment } from "../worker/protocol/pool-messages.ts";
import { probeAacEncoder } from "./audio/program-audio-encoder.ts";
import { chooseCompositor } from "./compositor/choose-compositor.ts";
import { Pipeline } from "./pipeline/pipeline.ts";
import type { FromPipeline, ToPipeline } from "./pipeline/worker-messages.ts";

/** The dedicated worker in which everything runs. What can be found out before an assignment comes is, so that a warm spare starts fast. */

const aacSupport = probeAacEncoder();
// Looked at again when an assignment comes; until then a failed probe is not an unhandled rejection.
aacSupport.catch(() => undefined);

let pipeline: Pipeline | undefined;
let stopped = false;

function post(message: FromPipeline): void {
	self.postMessage(message);
}

function log(level: "info" | "warn", text: string): void {
	post({ type: "log", level, text });
}

async function start(assignment: CompositorAssignment): Promise<void> {
	const support = await aacSupport;
	if (stopped) {
		return;
	}
	const { compositor, reason } = chooseCompositor();
	log("info", `compositor: ${compositor.kind} (${reason})`);
	pipeline = new Pipeline({
		assignment,
		compositor,
		aacSupport: support,
		nowUs: () => performance.now() * 1_000,
		log,
		onStatus: (status) => post({ type: "status", status }),
	});
}

function stop(reason: string): void {
	stopped = true;
	if (pipeline === undefined) {
		post({ type: "status", status: { state: "closed", programFrames: 0, reason } });
	} else {
		pipeline.stop(reason);
	}
}

self.onmessage = (event: MessageEvent<ToPipeline>) => {
	const message = event.data;
	switch (message.type) {
		case "start":
			start(message.assignment).catch((error: unknown) => {
				const reason = error instanceof Error ? error.message : String(error);
				post({ type: "status", status: { state: "failed", programFrames: 0, reason } });
			});
			break;
		case "stop":
			stop("stopped by the runner");
			break;
		default:
			message satisfies never;
	}
};
