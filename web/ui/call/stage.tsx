import { useEffect, useRef } from "preact/hooks";
import type { SessionPerson } from "../../lib/session-types.ts";
import type { LiveView } from "../live-session.ts";
import { PersonTile } from "./person-tile.tsx";
import { tileWidth } from "./tile-width.ts";

export interface StageProps {
	readonly view: LiveView;
	readonly speakerId?: string | undefined;
}

/** Everyone who is there, oneself last as in every conversation. */
export function Stage({ view: { session, preview, remotes }, speakerId }: StageProps) {
	const self = session.people.find(({ id }) => id === session.person);
	// Whoever waits sees nobody, and is seen by nobody.
	const others = session.people.filter(
		(person) => self?.admitted === true && person.id !== session.person && isSeen(person, remotes.has(person.id)),
	);
	const stage = useRef<HTMLElement>(null);
	const count = others.length + 1;
	useEffect(() => {
		const element = stage.current;
		if (element === null) {
			return;
		}
		const fit = new ResizeObserver(([entry]) => {
			if (entry !== undefined) {
				element.style.setProperty("--tile-width", `${tileWidth(count, entry.contentRect)}px`);
			}
		});
		fit.observe(element);
		return () => fit.disconnect();
	}, [count]);
	return (
		<section ref={stage} class="stage" aria-label="People">
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
