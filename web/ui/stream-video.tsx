import { useEffect, useRef, useState } from "preact/hooks";

export interface StreamVideoProps {
	readonly stream: MediaStream | undefined;
	/** What is seen, for those who cannot. */
	readonly label: string;
	readonly muted: boolean;
	/** As in a mirror: how people know themselves. */
	readonly mirrored?: boolean;
	/** A speaker's id; the system's own when empty. */
	readonly speakerId?: string | undefined;
}

/** A live stream's picture and sound. A browser that refuses to play sound by itself gets a button to be tapped. */
export function StreamVideo({ stream, label, muted, mirrored, speakerId }: StreamVideoProps) {
	const video = useRef<HTMLVideoElement>(null);
	const [refused, setRefused] = useState(false);
	const play = () => {
		video.current?.play().then(
			() => setRefused(false),
			(error: unknown) => {
				// Cut short by another stream is no refusal.
				if (error instanceof DOMException && error.name === "NotAllowedError") {
					setRefused(true);
				}
			},
		);
	};
	useEffect(() => {
		const shown = video.current;
		if (shown === null) {
			return;
		}
		shown.srcObject = stream ?? null;
		if (stream !== undefined) {
			play();
		}
		return () => {
			shown.srcObject = null;
		};
	}, [stream]);
	useEffect(() => {
		// A speaker that is gone leaves the sound on the one before.
		video.current?.setSinkId?.(speakerId ?? "").catch(() => undefined);
	}, [speakerId]);
	return (
		<>
			<video
				ref={video}
				class={mirrored === true ? "picture mirrored" : "picture"}
				playsInline
				muted={muted}
				aria-label={label}
			/>
			{refused && (
				<button type="button" class="button primary tap-to-hear" onClick={play}>
					Tap to hear
				</button>
			)}
		</>
	);
}
