import { useEffect, useRef, useState } from "preact/hooks";
import { meterShare } from "./level.ts";

/** Some 43 ms at 48 kHz: longer than a period of the lowest voice. */
const WINDOW_SAMPLES = 2_048;
const EVERY_MS = 60;
/** A share per step: slow enough to be seen, quick enough to be of now. */
const FALL = 0.06;

/** How loud the stream is, now. A browser that wants a click before it measures gets the next one anywhere. */
export function LevelMeter({ stream, label }: { readonly stream: MediaStream | undefined; readonly label: string }) {
	const meter = useRef<HTMLMeterElement>(null);
	const bar = useRef<HTMLDivElement>(null);
	const [asleep, setAsleep] = useState(false);
	useEffect(() => {
		if (stream === undefined || stream.getAudioTracks().length === 0) {
			return;
		}
		const context = new AudioContext();
		const analyser = new AnalyserNode(context, { fftSize: WINDOW_SAMPLES });
		const source = new MediaStreamAudioSourceNode(context, { mediaStream: stream });
		source.connect(analyser);
		const samples = new Float32Array(WINDOW_SAMPLES);
		let shown = 0;
		const timer = setInterval(() => {
			analyser.getFloatTimeDomainData(samples);
			shown = Math.max(meterShare(samples), shown - FALL);
			setAsleep(context.state !== "running");
			bar.current?.style.setProperty("--level", shown.toFixed(2));
			if (meter.current !== null) {
				meter.current.value = shown;
			}
		}, EVERY_MS);
		const wake = () => void context.resume();
		document.addEventListener("pointerdown", wake);
		document.addEventListener("keydown", wake);
		return () => {
			document.removeEventListener("pointerdown", wake);
			document.removeEventListener("keydown", wake);
			clearInterval(timer);
			void context.close();
		};
	}, [stream]);
	return (
		<div class="level">
			<meter ref={meter} class="sr-only" min={0} max={1} aria-label={label} />
			<div ref={bar} class="level-bar" aria-hidden="true" />
			{asleep && <span class="quiet">Click anywhere to see how loud you are.</span>}
		</div>
	);
}
