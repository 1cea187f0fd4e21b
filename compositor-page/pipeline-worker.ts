import { probeAacEncoder } from "../encoders/aac/program-audio-encoder.ts";
import type { CompositorAssignment } from "../worker/protocol/pool-messages.ts";
import { chooseCompositor } from "./compositor/choose-compositor.ts";
import { Pipeline } from "./pipeline/pipeline.ts";
import type { FromPipeline, ToPipeline } from "./pipeline/worker-messages.ts";
import type { TapTicket } from "./real-time/peer-messages.ts";
import { StandInFrames } from "./real-time/stand-in-frames.ts";
import type { Transformer } from "./real-time/tap.ts";

/** The dedicated worker in which everything runs. What can be found out before an assignment comes is, so that a warm spare starts fast. */

const aacSupport = probeAacEncoder();
// Looked at again when an assignment comes; until then a failed probe is not an unhandled rejection.
aacSupport.catch(() => undefined);

const standIns = new StandInFrames();

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
		standIns,
		originUs: performance.timeOrigin * 1_000,
		toPeers: (message) => post({ type: "peers", message }),
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

/** WebRTC's encoded frames; the standard types know the event, but not in a worker that is of no special kind. */
interface TransformScope {
	onrtctransform?: (event: { readonly transformer: Transformer & { readonly options: TapTicket } }) => void;
}

(self as TransformScope).onrtctransform = ({ transformer }) => {
	pipeline?.attach(transformer, transformer.options);
};

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
		case "peers":
			pipeline?.fromPeers(message.message);
			break;
		default:
			message satisfies never;
	}
};
