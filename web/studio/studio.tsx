import { useCallback, useEffect } from "preact/hooks";
import type { LiveCommand } from "../../worker/protocol/live-commands.ts";
import type { RoomProps } from "../ui/attend/attend.tsx";
import { ControlBar } from "../ui/call/control-bar.tsx";
import { RoomNotices } from "../ui/call/room-notices.tsx";
import { Stage } from "../ui/call/stage.tsx";
import { useStore } from "../ui/store.ts";
import { usePolled } from "../ui/use-time.ts";
import { DestinationsPanel } from "./destinations-panel.tsx";
import { LayoutPanel } from "./layout-panel.tsx";
import { PeoplePanel } from "./people-panel.tsx";
import { ProgramPanel } from "./program-panel.tsx";
import { SendingPanel } from "./sending-panel.tsx";
import { StudioHeader } from "./studio-header.tsx";

/** What the session does not tell: destinations, gains, times. */
const LOOK_EVERY_MS = 3_000;

/** Where a host makes a show. */
export function Studio({ live, api, show, speakerId, onSpeaker, onLeave }: RoomProps) {
	const view = useStore(live);
	const { session: state } = view;
	const ask = useCallback(() => api.show(), [api]);
	const { value: details, again } = usePolled(ask, LOOK_EVERY_MS);
	const status = state.status === "unknown" ? show.status : state.status;
	const times = details ?? show;
	useWarningBeforeClosing(status === "live");

	const command = (wanted: LiveCommand) => {
		live.session.command(wanted).then(again, (error: unknown) => live.report(error));
	};
	return (
		<div class="room studio">
			<StudioHeader
				title={details?.title ?? show.title}
				times={{ status, scheduledStartTime: times.scheduledStartTime, startedAt: times.startedAt }}
				viewers={show.viewers}
				connection={state.connection}
				destinations={details?.destinations.length}
				onStart={() => api.start().then(again)}
				onEnd={() => api.end()}
			/>
			<main class="room-main">
				<RoomNotices live={live} view={view} />
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
			<aside class="panels" aria-label="The show">
				<PeoplePanel
					people={state.people}
					self={state.person}
					status={status}
					gains={new Map(details?.people.map(({ id, gain }) => [id, gain]))}
					onInvite={(name) => api.createInvite(name)}
					onCommand={command}
				/>
				<LayoutPanel layout={state.layout} labels={state.labels} onCommand={command} />
				<DestinationsPanel destinations={details?.destinations} status={status} api={api} onChanged={again} />
				<ProgramPanel api={api} status={status} program={state.program} />
				<SendingPanel state={state} />
			</aside>
		</div>
	);
}

/** A host who closes the tab on air is gone from the picture; the browser asks in its own words. */
function useWarningBeforeClosing(isLive: boolean): void {
	useEffect(() => {
		if (!isLive) {
			return;
		}
		const ask = (event: BeforeUnloadEvent) => event.preventDefault();
		window.addEventListener("beforeunload", ask);
		return () => window.removeEventListener("beforeunload", ask);
	}, [isLive]);
}
