import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { MAX_PERSON_NAME_LENGTH } from "../../../worker/protocol/live-commands.ts";
import type { DeviceChoice } from "../../lib/session-types.ts";
import { type Chosen, DeviceFields, inUse, mayChooseSpeaker } from "../device-fields.tsx";
import { Icon } from "../icon.tsx";
import { LevelMeter } from "../level-meter.tsx";
import type { DeviceKind } from "../media-fault.ts";
import { StreamVideo } from "../stream-video.tsx";
import type { Entering } from "./entering.ts";
import { distinctFaults } from "./open-devices.ts";
import { useDevices } from "./use-devices.ts";

export interface GreenRoomProps {
	/** What is said above: which show it is. */
	readonly children?: ComponentChildren;
	readonly name: string;
	/** What stands for the name while there is none. */
	readonly nameHint: string;
	/** What the button does: "Enter the studio". */
	readonly action: string;
	/** Being let in takes a moment. */
	readonly entering: boolean;
	/** Why it did not work. */
	readonly error?: string | undefined;
	onEnter(how: Entering): void;
}

/** Where one sees and hears oneself before anybody else does. */
export function GreenRoom({ children, name: given, nameHint, action, entering, error, onEnter }: GreenRoomProps) {
	const [typed, setTyped] = useState<string | undefined>();
	const [chosen, setChosen] = useState<Chosen>({});
	const [on, setOn] = useState<Readonly<Record<DeviceKind, boolean>>>({ camera: true, microphone: true });
	const [round, setRound] = useState(0);
	const { cameraId, microphoneId, speakerId } = chosen;
	const choice: DeviceChoice = { ...(cameraId && { cameraId }), ...(microphoneId && { microphoneId }) };
	const wanted = (["camera", "microphone"] as const).filter((kind) => on[kind]);
	// While they go in the devices are let go of: the session opens them itself.
	const media = useDevices(choice, entering ? [] : wanted, round);
	const name = typed ?? given;
	const has = (kind: DeviceKind) => on[kind] && media.faults[kind] === undefined;
	const faults = media.opening ? [] : distinctFaults(media);
	const enter = (event: Event) => {
		event.preventDefault();
		onEnter({
			...(name.trim() === "" ? {} : { name: name.trim() }),
			devices: choice,
			speakerId,
			camera: has("camera"),
			microphone: has("microphone"),
		});
	};
	return (
		<form class="green-room" onSubmit={enter}>
			<div class="green-room-self">
				<div class="tile">
					{has("camera") ? (
						<StreamVideo stream={media.stream} label="You, as the others will see you" muted mirrored />
					) : (
						<p class="tile-empty">{on.camera ? "No picture" : "Your camera is off"}</p>
					)}
					{media.opening && !entering && wanted.length > 0 && (
						<p class="tile-empty" role="status">
							Asking for your {wanted.join(" and ")}…
						</p>
					)}
					<div class="tile-buttons">
						{(["microphone", "camera"] as const).map((kind) => (
							<button
								key={kind}
								type="button"
								class="round-button"
								aria-pressed={on[kind]}
								aria-label={kind === "camera" ? "Camera" : "Microphone"}
								onClick={() => setOn((before) => ({ ...before, [kind]: !before[kind] }))}
							>
								<Icon name={on[kind] ? kind : `${kind}-off`} />
							</button>
						))}
					</div>
				</div>
				<LevelMeter stream={has("microphone") ? media.stream : undefined} label="How loud you are" />
			</div>
			<div class="green-room-form">
				{children}
				{faults.map(({ title, advice }) => (
					<div class="notice" data-level="error" role="alert" key={title}>
						<p>
							<strong>{title}</strong>
						</p>
						<p>{advice}</p>
						<button type="button" class="button small" onClick={() => setRound(round + 1)}>
							Try again
						</button>
					</div>
				))}
				<label class="field">
					<span class="field-name">Your name, as viewers read it</span>
					<input
						type="text"
						autocomplete="name"
						maxLength={MAX_PERSON_NAME_LENGTH}
						placeholder={nameHint}
						value={name}
						onInput={(event) => setTyped(event.currentTarget.value)}
					/>
				</label>
				<DeviceFields
					devices={media.devices}
					chosen={{ ...inUse(media.tracks), ...chosen }}
					kinds={mayChooseSpeaker() ? ["camera", "microphone", "speaker"] : ["camera", "microphone"]}
					onChoose={(change) => setChosen((before) => ({ ...before, ...change }))}
				/>
				{error !== undefined && (
					<p class="fault" role="alert">
						{error}
					</p>
				)}
				<button type="submit" class="button primary large" disabled={entering}>
					{entering ? "One moment…" : action}
				</button>
			</div>
		</form>
	);
}
