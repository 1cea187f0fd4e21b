import type { DeviceInfo } from "../lib/session-types.ts";

export interface Chosen {
	readonly cameraId?: string | undefined;
	readonly microphoneId?: string | undefined;
	readonly speakerId?: string | undefined;
}

const FIELDS = [
	{ kind: "camera", key: "cameraId", label: "Camera" },
	{ kind: "microphone", key: "microphoneId", label: "Microphone" },
	{ kind: "speaker", key: "speakerId", label: "Speaker" },
] as const;

export interface DeviceFieldsProps {
	readonly devices: readonly DeviceInfo[];
	readonly chosen: Chosen;
	/** Which to offer; a speaker only where the browser lets one be chosen. */
	readonly kinds: readonly DeviceInfo["kind"][];
	onChoose(change: Chosen): void;
}

/** A choice of each kind there is. */
export function DeviceFields({ devices, chosen, kinds, onChoose }: DeviceFieldsProps) {
	return (
		<div class="fields">
			{FIELDS.filter(({ kind }) => kinds.includes(kind)).map(({ kind, key, label }) => {
				const ofKind = devices.filter((device) => device.kind === kind && device.id !== "");
				return (
					<label class="field" key={kind}>
						<span class="field-name">{label}</span>
						<select
							disabled={ofKind.length === 0}
							value={chosen[key] ?? ofKind[0]?.id ?? ""}
							onChange={(event) => onChoose({ [key]: event.currentTarget.value })}
						>
							{ofKind.length === 0 && <option value="">{`No ${label.toLowerCase()} found`}</option>}
							{ofKind.map(({ id, label: name }, index) => (
								<option key={id} value={id}>
									{name || `${label} ${index + 1}`}
								</option>
							))}
						</select>
					</label>
				);
			})}
		</div>
	);
}

export function mayChooseSpeaker(): boolean {
	return "setSinkId" in HTMLMediaElement.prototype;
}

/** What the tracks come from. */
export function inUse(tracks: readonly MediaStreamTrack[]): Chosen {
	const idOf = (kind: string) => tracks.find((track) => track.kind === kind)?.getSettings().deviceId;
	return { cameraId: idOf("video"), microphoneId: idOf("audio") };
}
