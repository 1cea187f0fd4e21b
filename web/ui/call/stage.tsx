import type { SessionPerson } from "../../lib/session-types.ts";
import type { LiveView } from "../live-session.ts";
import { PersonTile } from "./person-tile.tsx";

export interface StageProps {
	readonly view: LiveView;
	readonly speakerId?: string | undefined;
}

/** Everyone who is there, oneself last as in every conversation. */
export function Stage({ view: { session, preview, remotes }, speakerId }: StageProps) {
	const self = session.people.find(({ id }) => id === session.person);
	const others = session.people.filter(
		(person) => person.id !== session.person && isSeen(person, remotes.has(person.id)),
	);
	return (
		<section class="stage" aria-label="People" data-count={others.length + 1}>
			{others.map((person) => (
				<PersonTile
					key={person.id}
					person={person}
					stream={remotes.get(person.id)}
					self={false}
					media={person.media}
					speakerId={speakerId}
				/>
			))}
			{self !== undefined && <PersonTile key={self.id} person={self} stream={preview} self media={session.media} />}
		</section>
	);
}

/** Whoever waits to be let in is neither seen nor heard. */
function isSeen({ live, admitted }: SessionPerson, hasStream: boolean): boolean {
	return admitted && (live || hasStream);
}
