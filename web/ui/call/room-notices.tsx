import type { LiveSession, LiveView } from "../live-session.ts";
import { Notices } from "../notices.tsx";

/** What the session has to say, and what the person asked for and did not get. */
export function RoomNotices({ live, view }: { readonly live: LiveSession; readonly view: LiveView }) {
	return (
		<Notices
			notices={[
				...view.session.notices.map(({ code, level, text }) => ({ key: code, level, text })),
				...view.refusals.map(({ key, text }) => ({
					key: `refusal-${key}`,
					level: "error" as const,
					text,
					onDismiss: () => live.dismiss(key),
				})),
			]}
		/>
	);
}
