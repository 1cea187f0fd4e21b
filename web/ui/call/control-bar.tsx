import { useState } from "preact/hooks";
import type { BroadcastSession, SessionState } from "../../lib/session-types.ts";
import type { Chosen } from "../device-fields.tsx";
import { Icon, type IconName } from "../icon.tsx";
import { DevicesDialog } from "./devices-dialog.tsx";

export interface ControlBarProps {
	readonly session: BroadcastSession;
	readonly state: SessionState;
	readonly preview: MediaStream;
	readonly speakerId: string | undefined;
	onSpeaker(id: string): void;
	/** Whatever a device or the server refuses. */
	onError(error: unknown): void;
	onLeave(): void;
}

/** Microphone, camera, screen, devices, and the way out. */
export function ControlBar({ session, state, preview, speakerId, onSpeaker, onError, onLeave }: ControlBarProps) {
	const [choosing, setChoosing] = useState(false);
	const [busy, setBusy] = useState<string | undefined>();
	const { camera, microphone, screen } = state.media;
	const run = async (what: string, action: () => Promise<void>) => {
		setBusy(what);
		try {
			await action();
		} catch (error) {
			// Whoever closes the browser's own dialog has changed their mind, and knows.
			if (!(what === "screen" && error instanceof DOMException && error.name === "NotAllowedError")) {
				onError(error);
			}
		} finally {
			setBusy(undefined);
		}
	};
	const toggle = (
		what: string,
		on: boolean,
		icon: IconName,
		name: string,
		short: string,
		action: () => Promise<void>,
	) => (
		<button
			type="button"
			class={on ? "bar-button" : "bar-button off"}
			aria-pressed={on}
			aria-label={name}
			disabled={busy === what}
			onClick={() => run(what, action)}
		>
			<Icon name={icon} />
			<span class="bar-label">{on ? short : `${short} off`}</span>
		</button>
	);
	return (
		<div class="control-bar" role="toolbar" aria-label="Your camera and microphone">
			{toggle("microphone", microphone, microphone ? "microphone" : "microphone-off", "Microphone", "Mic", () =>
				session.setMicrophone(!microphone),
			)}
			{toggle("camera", camera, camera ? "camera" : "camera-off", "Camera", "Camera", () => session.setCamera(!camera))}
			{"getDisplayMedia" in (navigator.mediaDevices ?? {}) && (
				<button
					type="button"
					class={screen ? "bar-button active" : "bar-button"}
					aria-label={screen ? "Stop sharing your screen" : "Share your screen"}
					disabled={busy === "screen"}
					onClick={() => run("screen", () => (screen ? session.stopSharing() : session.shareScreen()))}
				>
					<Icon name="screen" />
					<span class="bar-label">{screen ? "Stop" : "Share"}</span>
				</button>
			)}
			<button type="button" class="bar-button" onClick={() => setChoosing(true)}>
				<Icon name="devices" />
				<span class="bar-label">Devices</span>
			</button>
			<button type="button" class="bar-button leave" onClick={onLeave}>
				<Icon name="leave" />
				<span class="bar-label">Leave</span>
			</button>
			{choosing && (
				<DevicesDialog
					session={session}
					preview={preview}
					speakerId={speakerId}
					onChoose={(change: Chosen) => {
						const { cameraId, microphoneId } = change;
						if (change.speakerId !== undefined) {
							onSpeaker(change.speakerId);
							return;
						}
						void run("devices", () =>
							session.useDevices({ ...(cameraId && { cameraId }), ...(microphoneId && { microphoneId }) }),
						);
					}}
					onError={onError}
					onClose={() => setChoosing(false)}
				/>
			)}
		</div>
	);
}
