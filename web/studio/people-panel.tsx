import type { LiveCommand } from "../../worker/protocol/live-commands.ts";
import type { PersonId } from "../../worker/protocol/roles.ts";
import type { SessionPerson, SessionState } from "../lib/session-types.ts";
import type { CreatedInvite } from "../ui/show-api.ts";
import { InviteForm } from "./invite-form.tsx";
import { PersonRow } from "./person-row.tsx";

export interface PeoplePanelProps {
	readonly people: readonly SessionPerson[];
	readonly self: PersonId;
	readonly status: SessionState["status"];
	readonly gains: ReadonlyMap<PersonId, number>;
	onInvite(name: string | undefined): Promise<CreatedInvite>;
	onCommand(command: LiveCommand): void;
}

/** Everyone there is a place for: who waits comes first. */
export function PeoplePanel({ people, self, status, gains, onInvite, onCommand }: PeoplePanelProps) {
	const waiting = people.filter(({ live, admitted }) => live && !admitted);
	const others = people.filter((person) => !waiting.includes(person));
	return (
		<section class="panel" aria-labelledby="people-title">
			<h2 id="people-title">People</h2>
			<p class="sr-only" role="status">
				{waiting.length > 0 && `${waiting.map(({ name }) => name).join(", ")}: waiting to be let in`}
			</p>
			<ul class="rows">
				{[...waiting, ...others].map((person) => (
					<PersonRow
						key={person.id}
						person={person}
						self={person.id === self}
						status={status}
						gain={gains.get(person.id)}
						onCommand={onCommand}
					/>
				))}
			</ul>
			<InviteForm onInvite={onInvite} />
		</section>
	);
}
