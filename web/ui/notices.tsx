import type { Notice } from "../lib/session-types.ts";
import { Icon } from "./icon.tsx";

export interface ShownNotice {
	readonly key: string;
	readonly level: Notice["level"];
	readonly text: string;
	/** Absent where it goes by itself when the matter is settled. */
	onDismiss?(): void;
}

/** What somebody should know, read aloud as it comes. */
export function Notices({ notices }: { readonly notices: readonly ShownNotice[] }) {
	return (
		<div class="notices" aria-live="polite">
			{notices.map(({ key, level, text, onDismiss }) => (
				<div class="notice" data-level={level} key={key} role={level === "error" ? "alert" : "status"}>
					<p>{text}</p>
					{onDismiss !== undefined && (
						<button type="button" class="icon-button" aria-label="Dismiss" onClick={onDismiss}>
							<Icon name="close" />
						</button>
					)}
				</div>
			))}
		</div>
	);
}
