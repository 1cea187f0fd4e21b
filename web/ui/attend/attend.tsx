import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import type { JoinBroadcast } from "../../lib/session-types.ts";
import { type Credential, type Entrance, personOf, type TabMemory } from "../entrance.ts";
import { GreenRoom } from "../green-room/green-room.tsx";
import type { LiveSession } from "../live-session.ts";
import { Failure, Message } from "../message.tsx";
import { type PublicShow, ShowApi } from "../show-api.ts";
import { useStore } from "../store.ts";
import { usePolled } from "../use-time.ts";
import { overWords } from "../why-over.ts";
import { Attendance } from "./attendance.ts";
import { ShowCard } from "./show-card.tsx";

/** How old what everyone may know of the show can be here. */
const SHOW_EVERY_MS = 10_000;
const NAME_KEY = "tandem.name";

export interface RoomProps {
	readonly live: LiveSession;
	readonly api: ShowApi;
	readonly show: PublicShow;
	readonly speakerId: string | undefined;
	onSpeaker(id: string): void;
	onLeave(): void;
}

export interface AttendProps {
	readonly entrance: Entrance;
	readonly role: "host" | "guest";
	readonly join: JoinBroadcast;
	readonly memory: TabMemory;
	/** Outlives the tab: the name somebody gave last. */
	readonly names: TabMemory;
	/** What there is once they are in. */
	readonly room: (props: RoomProps) => ComponentChildren;
}

/** A person's way into a show: from whatever their link is worth to the room, and out again. */
export function Attend(props: AttendProps) {
	const { broadcastId, credential } = props.entrance;
	if (broadcastId === undefined || credential === undefined) {
		return (
			<Message
				title="This link is not complete"
				text="Open the link exactly as it was sent to you: what lets you in is at its end. If you have reloaded an old tab, open the link again."
			/>
		);
	}
	const { role } = props;
	const person = credential.kind === "token" ? personOf(credential.token) : "guest";
	const meant = person === undefined ? role : person === "host" ? "host" : "guest";
	if (meant !== role) {
		const [title, page] = meant === "host" ? ["This is the host's link", "studio"] : ["This is a guest's link", "join"];
		return (
			<Message title={title} text="It opens on another page.">
				{/* What lets them in is kept for the tab, so it need not be in the address. */}
				<a class="button primary" href={`/${page}/${encodeURIComponent(broadcastId)}`}>
					Go there
				</a>
			</Message>
		);
	}
	return <Way {...props} broadcastId={broadcastId} credential={credential} />;
}

type WayProps = AttendProps & { readonly broadcastId: string; readonly credential: Credential };

function Way({ broadcastId, credential, role, join, memory, names, room }: WayProps) {
	const attendance = useMemo(
		() =>
			new Attendance({
				broadcastId,
				credential,
				url: location.origin + location.pathname,
				memory,
				join,
				apiFor: (token) => new ShowApi(broadcastId, token),
			}),
		[broadcastId, credential, join, memory],
	);
	const [speakerId, setSpeakerId] = useState<string | undefined>();
	const phase = useStore(attendance);
	const ask = useCallback(() => lookAt(broadcastId, credential), [broadcastId, credential]);
	const { value: found, error, again } = usePolled(ask, SHOW_EVERY_MS);
	const title = found?.show.title;
	useEffect(() => {
		if (title !== undefined) {
			document.title = `${title} · Tandem`;
		}
	}, [title]);

	if (phase.kind === "over") {
		const { title: heading, text, rejoin } = overWords(phase.why, role);
		return (
			<Message title={heading} text={text}>
				{rejoin !== undefined && (
					<button type="button" class="button primary" onClick={() => attendance.back()}>
						{rejoin}
					</button>
				)}
			</Message>
		);
	}
	if (found === undefined) {
		return error === undefined ? (
			<Message title="One moment…" text="Looking up the show." />
		) : (
			<Failure error={error} onRetry={again} />
		);
	}
	const { show } = found;
	if (phase.kind === "in") {
		const { live, api } = phase;
		return room({ live, api, show, speakerId, onSpeaker: setSpeakerId, onLeave: () => void attendance.leave() });
	}
	if (show.status === "ended" || show.status === "cancelled") {
		return <Message {...overWords(show.status, role)} />;
	}
	const isHost = role === "host";
	return (
		<main class="entrance">
			<GreenRoom
				name={found.name ?? names.getItem(NAME_KEY) ?? ""}
				nameHint={isHost ? "Your name" : "Your name, or leave it to the host"}
				action={isHost ? "Enter the studio" : "Enter"}
				entering={phase.kind === "entering"}
				error={phase.kind === "green-room" ? phase.error : undefined}
				onEnter={(how) => {
					setSpeakerId(how.speakerId);
					if (how.name !== undefined) {
						names.setItem(NAME_KEY, how.name);
					}
					void attendance.enter(how);
				}}
			>
				<ShowCard show={show} role={role} />
			</GreenRoom>
		</main>
	);
}

/** What anyone may know of the show, and for whoever holds a token whether it still counts, and the name they have there. */
async function lookAt(broadcastId: string, credential: Credential) {
	const show = await new ShowApi(broadcastId).publicShow();
	if (credential.kind !== "token" || show.status === "ended" || show.status === "cancelled") {
		return { show };
	}
	const { people } = await new ShowApi(broadcastId, credential.token).show();
	const name = people.find(({ id }) => id === personOf(credential.token))?.name;
	return { show, ...(name === undefined || PLACEHOLDERS.includes(name) ? {} : { name }) };
}

/** What a place is called that nobody gave a name. */
const PLACEHOLDERS: readonly string[] = ["Host", "Guest", "Guest 2", "Guest 3", "Guest 4"];
