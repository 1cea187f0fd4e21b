import type { SessionPerson } from "../../lib/session-types.ts";
import { Icon } from "../icon.tsx";
import { initialsOf, talkWords } from "../session-words.ts";
import { StreamVideo } from "../stream-video.tsx";

export interface PersonTileProps {
	readonly person: SessionPerson;
	readonly stream: MediaStream | undefined;
	/** The page's own person: seen as in a mirror, and not heard. */
	readonly self: boolean;
	/** What camera and microphone do; absent where it is not known. */
	readonly media?: SessionPerson["media"];
	readonly speakerId?: string | undefined;
}

/** One person: picture, sound, name, and what there is to know of them. */
export function PersonTile({ person, stream, self, media, speakerId }: PersonTileProps) {
	const { name } = person;
	const hasPicture = stream !== undefined && (media === undefined || media.camera || media.screen);
	const talk = self ? undefined : talkWords(person.talk);
	return (
		<figure class="tile" data-person={person.id}>
			<div class={hasPicture ? "tile-media" : "tile-media unseen"}>
				<StreamVideo
					stream={stream}
					label={self ? "You" : name}
					muted={self}
					mirrored={self && media?.screen !== true}
					speakerId={speakerId}
				/>
			</div>
			{!hasPicture && (
				<div class="tile-empty">
					<span class="initials" aria-hidden="true">
						{initialsOf(name)}
					</span>
					<span>{emptyWords(person, self, stream !== undefined)}</span>
				</div>
			)}
			<figcaption class="tile-caption">
				<span class="tile-name">{self ? `${name} (you)` : name}</span>
				{media?.microphone === false && (
					<span class="tile-sign" title="Microphone off">
						<Icon name="microphone-off" />
						<span class="sr-only">microphone off</span>
					</span>
				)}
				{person.muted && (
					<span class="tile-sign" title="Muted for viewers">
						<Icon name="speaker-off" />
						<span class="sr-only">muted for viewers</span>
					</span>
				)}
				{media?.screen === true && (
					<span class="tile-sign" title="Shares a screen">
						<Icon name="screen" />
						<span class="sr-only">shares a screen</span>
					</span>
				)}
				{talk !== undefined && (
					<span class="tile-talk" data-tone={talk.tone}>
						{talk.text}
					</span>
				)}
			</figcaption>
		</figure>
	);
}

function emptyWords({ live, talk }: SessionPerson, self: boolean, hasStream: boolean): string {
	if (self) {
		return "Your camera is off";
	}
	if (!live) {
		return "Not here yet";
	}
	if (hasStream) {
		return "Camera off";
	}
	return talk === undefined ? "Seen in the show, not here: they send from an encoder" : "Waiting for their picture…";
}
