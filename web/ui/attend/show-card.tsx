import type { PublicShow } from "../show-api.ts";
import { ShowStatus } from "../show-status.tsx";
import { momentWords } from "../time-words.ts";

/** Which show it is, and when. */
export function ShowCard({ show, role }: { readonly show: PublicShow; readonly role: "host" | "guest" }) {
	const { title, description, posterUrl, hostName, status, scheduledStartTime, startedAt } = show;
	return (
		<header class="show-card">
			{posterUrl !== undefined && <img class="poster" src={posterUrl} alt="" />}
			<p class="quiet">{role === "host" ? "You are the host of" : `You are invited by ${hostName} to`}</p>
			<h1>{title}</h1>
			{description !== undefined && <p class="description">{description}</p>}
			<p class="show-time">
				<ShowStatus status={status} scheduledStartTime={scheduledStartTime} startedAt={startedAt} />
				{scheduledStartTime !== undefined && status !== "live" && (
					<span class="quiet">{momentWords(Date.parse(scheduledStartTime))}</span>
				)}
			</p>
		</header>
	);
}
