import { useState } from "preact/hooks";
import type { LiveCommand } from "../../worker/protocol/live-commands.ts";
import type { GuestId } from "../../worker/protocol/roles.ts";
import type { SessionPerson, SessionState } from "../lib/session-types.ts";
import { Confirm } from "../ui/dialog.tsx";
import { Icon } from "../ui/icon.tsx";
import { personWords } from "../ui/session-words.ts";
import { GAIN_SLIDER, gainOfSlider, gainWords, sliderOfGain } from "./gain.ts";

export interface PersonRowProps {
	readonly person: SessionPerson;
	readonly self: boolean;
	readonly status: SessionState["status"];
	/** Absent while it is not known. */
	readonly gain: number | undefined;
	onCommand(command: LiveCommand): void;
}

/** One person as the host looks after them: let in, louder, silent, out. */
export function PersonRow({ person, self, status, gain, onCommand }: PersonRowProps) {
	const [removing, setRemoving] = useState(false);
	/** While it is dragged, and until what was asked for has come about. */
	const [wanted, setWanted] = useState<number | undefined>();
	const { id, name, live, admitted, muted } = person;
	const words = personWords(person, status);
	const shownGain = wanted ?? gain ?? 1;
	const waits = live && !admitted;
	return (
		<li class={waits ? "person-row waiting" : "person-row"} data-person={id}>
			<div class="person-line">
				<span class="person-name">
					<strong>{self ? `${name} (you)` : name}</strong>
					<span class="words" data-tone={words.tone}>
						{words.text}
					</span>
				</span>
				{waits && (
					<button
						type="button"
						class="button primary small"
						onClick={() => onCommand({ type: "admit-person", personId: id as GuestId })}
					>
						Admit<span class="sr-only"> {name}</span>
					</button>
				)}
				{live && admitted && (
					<button
						type="button"
						class="icon-button"
						aria-pressed={muted}
						aria-label={`Mute ${name} for viewers`}
						title={muted ? "Unmute for viewers" : "Mute for viewers"}
						onClick={() => onCommand({ type: "set-person", personId: id, muted: !muted })}
					>
						<Icon name={muted ? "speaker-off" : "speaker"} />
					</button>
				)}
				{!self && live && (
					<button
						type="button"
						class="icon-button"
						aria-label={`Remove ${name}`}
						title="Remove"
						onClick={() => setRemoving(true)}
					>
						<Icon name="close" />
					</button>
				)}
			</div>
			{live && admitted && (
				<label class="gain">
					<span class="sr-only">Volume of {name}</span>
					<input
						type="range"
						{...GAIN_SLIDER}
						value={sliderOfGain(shownGain)}
						aria-valuetext={gainWords(shownGain)}
						onInput={(event) => setWanted(gainOfSlider(event.currentTarget.valueAsNumber))}
						onChange={(event) => {
							const asked = gainOfSlider(event.currentTarget.valueAsNumber);
							setWanted(asked);
							onCommand({ type: "set-person", personId: id, gain: asked });
						}}
					/>
					<output>{gainWords(shownGain)}</output>
				</label>
			)}
			{removing && (
				<Confirm
					title={`Remove ${name}?`}
					text="They leave the show at once, and their link is worth nothing from then on. You can invite them again."
					action="Remove"
					danger
					onConfirm={() => {
						setRemoving(false);
						onCommand({ type: "remove-person", personId: id as GuestId });
					}}
					onClose={() => setRemoving(false)}
				/>
			)}
		</li>
	);
}
