import { useState } from "preact/hooks";
import type { SessionState } from "../lib/session-types.ts";
import { Confirm } from "../ui/dialog.tsx";
import { errorWords } from "../ui/error-words.ts";
import { Icon } from "../ui/icon.tsx";
import { PageHeading } from "../ui/page-heading.tsx";
import { ShowStatus } from "../ui/show-status.tsx";
import type { ShowTimes } from "../ui/status-words.ts";

export interface StudioHeaderProps {
	readonly title: string;
	readonly times: ShowTimes;
	readonly viewers: number;
	readonly connection: SessionState["connection"];
	/** How many places the show goes to; absent while it is not known. */
	readonly destinations: number | undefined;
	onStart(): Promise<void>;
	onEnd(): Promise<void>;
}

/** Which show it is, how it stands, and the two buttons that change that. */
export function StudioHeader(props: StudioHeaderProps) {
	const { title, times, viewers, connection, destinations, onStart, onEnd } = props;
	const [asking, setAsking] = useState<"start" | "end" | undefined>();
	const [busy, setBusy] = useState(false);
	const [error, setError] = useState<string | undefined>();
	const isLive = times.status === "live";
	const close = () => {
		setAsking(undefined);
		setError(undefined);
	};
	const run = async (action: () => Promise<void>) => {
		setBusy(true);
		setError(undefined);
		try {
			await action();
			close();
		} catch (failure) {
			setError(errorWords(failure));
		} finally {
			setBusy(false);
		}
	};
	return (
		<header class="room-head">
			<PageHeading>{title}</PageHeading>
			<ShowStatus {...times} />
			{connection === "broken" && (
				<span class="status" data-status="problem">
					Connecting again…
				</span>
			)}
			<span class="viewers" title="People who wait or watch">
				<Icon name="eye" />
				<span class="sr-only">Watching: </span>
				{viewers}
			</span>
			<button
				type="button"
				class={isLive ? "button danger head-action" : "button primary head-action"}
				onClick={() => setAsking(isLive ? "end" : "start")}
			>
				{isLive ? "End show" : "Go live"}
			</button>
			{asking === "start" && (
				<Confirm
					title="Go live?"
					text={startWords(destinations)}
					action="Go live"
					busy={busy}
					error={error}
					onConfirm={() => void run(onStart)}
					onClose={close}
				/>
			)}
			{asking === "end" && (
				<Confirm
					title="End the show?"
					text="It ends for everyone and everywhere it is sent to. It cannot be started again."
					action="End show"
					danger
					busy={busy}
					error={error}
					onConfirm={() => void run(onEnd)}
					onClose={close}
				/>
			)}
		</header>
	);
}

function startWords(destinations: number | undefined): string {
	if (destinations === undefined) {
		return "From then on viewers see and hear you.";
	}
	if (destinations === 0) {
		return "From then on viewers see and hear you. There is no destination yet: only people with a link to the show can watch. You can add destinations at any time.";
	}
	return `From then on viewers see and hear you, at ${destinations} ${destinations === 1 ? "destination" : "destinations"}.`;
}
