import { type ShowTimes, statusWords } from "./status-words.ts";
import { useNow } from "./use-time.ts";

/** Where the show stands: how long until it starts, or how long it has been live. */
export function ShowStatus({ status, scheduledStartTime, startedAt }: ShowTimes) {
	const nowMs = useNow();
	return (
		<span class="status" data-status={status}>
			{statusWords({ status, scheduledStartTime, startedAt }, nowMs)}
		</span>
	);
}
