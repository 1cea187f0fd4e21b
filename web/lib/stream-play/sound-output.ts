import workletUrl from "./play-worklet.ts?worker&url";

const RATE = 48_000;
/** What people do when they want something to be heard; before it a page may be kept silent. */
const GESTURES = ["pointerdown", "keydown"] as const;

export interface SoundOutput {
	readonly track: MediaStreamTrack | undefined;
	/** To the audio worklet; for the worker. */
	readonly port: MessagePort;
	close(): void;
}

/** A track of what a worker says is to be heard, at 48 kHz. */
export function openSoundOutput(onProblem: (reason: string) => void): SoundOutput {
	const context = new AudioContext({ sampleRate: RATE, latencyHint: "interactive" });
	const heard = new MediaStreamAudioDestinationNode(context);
	const { port1, port2 } = new MessageChannel();
	const gestures = new AbortController();
	const load = async () => {
		await context.audioWorklet.addModule(workletUrl);
		if (context.state === "closed") {
			return;
		}
		const node = new AudioWorkletNode(context, "tandem-play", { numberOfInputs: 0, outputChannelCount: [2] });
		node.port.postMessage(port2, [port2]);
		node.connect(heard);
	};
	load().catch((error: unknown) => onProblem(`sound cannot be played: ${error}`));
	const resume = () => {
		context.resume().then(
			() => gestures.abort(),
			() => undefined, // It was closed: nobody listens.
		);
	};
	for (const gesture of GESTURES) {
		document.addEventListener(gesture, resume, { signal: gestures.signal });
	}
	resume();
	const [track] = heard.stream.getAudioTracks();
	return {
		track,
		port: port1,
		close: () => {
			gestures.abort();
			track?.stop();
			context.close().catch(() => undefined); // It is closed already, which is what was wanted.
		},
	};
}
