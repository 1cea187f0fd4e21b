import workletUrl from "./capture-worklet.ts?worker&url";
import type { OpenedSource } from "./track-source.ts";

const RATE = 48_000;

/** Hands the sound of a track to `port` block by block. For browsers that do not give tracks as streams. */
export function captureWorklet(track: MediaStreamTrack, port: MessagePort): OpenedSource {
	const stream = new MediaStream([track]);
	let closed = false;
	let context: AudioContext | undefined;
	const open = async () => {
		const opened = await openContext(stream);
		context = opened.context;
		await context.audioWorklet.addModule(workletUrl);
		if (closed) {
			await context.close();
			return;
		}
		const node = new AudioWorkletNode(context, "tandem-capture", { outputChannelCount: [1] });
		node.port.postMessage(port, [port]);
		// A node that leads nowhere may not be run; this one's output is silence.
		opened.source.connect(node).connect(context.destination);
		await context.resume();
	};
	open().catch((error: unknown) => {
		if (!closed) {
			console.warn(`stream leg: expected sound from the microphone, got ${error}`);
		}
	});
	return {
		close: () => {
			closed = true;
			if (context !== undefined && context.state !== "closed") {
				context.close().catch(() => undefined); // It is closed already, which is what was wanted.
			}
		},
	};
}

/** At 48 kHz where the browser converts; some take a microphone only at its own rate. */
async function openContext(
	stream: MediaStream,
): Promise<{ readonly context: AudioContext; readonly source: MediaStreamAudioSourceNode }> {
	const context = new AudioContext({ sampleRate: RATE, latencyHint: "interactive" });
	try {
		return { context, source: context.createMediaStreamSource(stream) };
	} catch {
		await context.close();
		const own = new AudioContext({ latencyHint: "interactive" });
		return { context: own, source: own.createMediaStreamSource(stream) };
	}
}
