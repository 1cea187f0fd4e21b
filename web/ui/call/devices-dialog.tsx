import { useEffect, useState } from "preact/hooks";
import type { BroadcastSession, DeviceInfo } from "../../lib/session-types.ts";
import { type Chosen, DeviceFields, inUse, mayChooseSpeaker } from "../device-fields.tsx";
import { Dialog } from "../dialog.tsx";
import { LevelMeter } from "../level-meter.tsx";

export interface DevicesDialogProps {
	readonly session: BroadcastSession;
	readonly preview: MediaStream;
	readonly speakerId: string | undefined;
	onChoose(change: Chosen): void;
	onError(error: unknown): void;
	onClose(): void;
}

/** Another camera, microphone or speaker, in the middle of a conversation. */
export function DevicesDialog({ session, preview, speakerId, onChoose, onError, onClose }: DevicesDialogProps) {
	const [devices, setDevices] = useState<readonly DeviceInfo[]>([]);
	const [chosen, setChosen] = useState<Chosen>({});
	useEffect(() => {
		let over = false;
		const list = () => session.listDevices().then((found) => over || setDevices(found), onError);
		void list();
		const onDeviceChange = () => void list();
		navigator.mediaDevices?.addEventListener("devicechange", onDeviceChange);
		return () => {
			over = true;
			navigator.mediaDevices?.removeEventListener("devicechange", onDeviceChange);
		};
	}, [preview]);
	return (
		<Dialog title="Devices" onClose={onClose}>
			<DeviceFields
				devices={devices}
				chosen={{ ...inUse(preview.getTracks()), speakerId, ...chosen }}
				kinds={mayChooseSpeaker() ? ["camera", "microphone", "speaker"] : ["camera", "microphone"]}
				onChoose={(change) => {
					setChosen((before) => ({ ...before, ...change }));
					onChoose(change);
				}}
			/>
			<LevelMeter stream={preview} label="How loud you are" />
			<div class="actions">
				<button type="button" class="button primary" onClick={onClose}>
					Done
				</button>
			</div>
		</Dialog>
	);
}
