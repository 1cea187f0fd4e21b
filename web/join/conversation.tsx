import type { RoomProps } from "../ui/attend/attend.tsx";
import { ControlBar } from "../ui/call/control-bar.tsx";
import { RoomNotices } from "../ui/call/room-notices.tsx";
import { Stage } from "../ui/call/stage.tsx";
import { PageHeading } from "../ui/page-heading.tsx";
import { ShowStatus } from "../ui/show-status.tsx";
import { useStore } from "../ui/store.ts";
import { guestWords } from "./guest-words.ts";

/** Where a guest waits to be let in, and then talks. */
export function Conversation({ live, show, speakerId, onSpeaker, onLeave }: RoomProps) {
	const view = useStore(live);
	const { session: state } = view;
	const self = state.people.find(({ id }) => id === state.person);
	const status = state.status === "unknown" ? show.status : state.status;
	const words = guestWords(self, status, show.hostName);
	return (
		<div class="room conversation">
			<header class="room-head">
				<PageHeading>{show.title}</PageHeading>
				<ShowStatus status={status} scheduledStartTime={show.scheduledStartTime} startedAt={show.startedAt} />
				{state.connection === "broken" && (
					<span class="status" data-status="problem">
						Connecting again…
					</span>
				)}
			</header>
			<main class="room-main">
				<RoomNotices live={live} view={view} />
				<div class="standing" data-tone={words.tone} role="status">
					<strong>{words.title}</strong>
					<span>{words.text}</span>
				</div>
				<Stage view={view} speakerId={speakerId} />
				<ControlBar
					session={live.session}
					state={state}
					preview={view.preview}
					speakerId={speakerId}
					onSpeaker={onSpeaker}
					onError={(error) => live.report(error)}
					onLeave={onLeave}
				/>
			</main>
		</div>
	);
}
