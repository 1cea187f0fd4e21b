import { useEffect, useRef, useState } from "preact/hooks";
import type { SessionState } from "../lib/session-types.ts";
import { Icon } from "../ui/icon.tsx";
import { programWords } from "../ui/session-words.ts";
import type { ShowApi } from "../ui/show-api.ts";

export interface ProgramPanelProps {
	readonly api: ShowApi;
	readonly status: SessionState["status"];
	readonly program: SessionState["program"];
}

/** What viewers see: fetched while it is looked at, and never heard, or the host would hear themselves late. */
export function ProgramPanel({ api, status, program }: ProgramPanelProps) {
	const [shown, setShown] = useState(false);
	const isLive = status === "live";
	return (
		<section class="panel" aria-labelledby="program-title">
			<h2 id="program-title">What viewers see</h2>
			{isLive ? (
				<p class="words" data-tone={programWords(program).tone}>
					{programWords(program).text}
				</p>
			) : (
				<p class="quiet">Nothing before you go live.</p>
			)}
			{shown && isLive && <ProgramPicture api={api} />}
			<div class="actions start">
				<button type="button" class="button" disabled={!isLive} aria-pressed={shown} onClick={() => setShown(!shown)}>
					<Icon name="eye" />
					{shown ? "Hide" : "Show here"}
				</button>
				<button
					type="button"
					class="button"
					onClick={() => window.open(api.monitorUrl(), "_blank", "noopener,noreferrer")}
				>
					<Icon name="open" />
					Open monitor
				</button>
			</div>
		</section>
	);
}

function ProgramPicture({ api }: { readonly api: ShowApi }) {
	const video = useRef<HTMLVideoElement>(null);
	const [notice, setNotice] = useState<string | undefined>("Waiting for the program…");
	useEffect(() => {
		const element = video.current;
		if (element === null) {
			return;
		}
		let over = false;
		let stop = () => {};
		// The player is large, and most hosts never look.
		import("../ui/program-player.ts").then(
			({ ProgramPlayer }) => {
				if (!over) {
					const player = new ProgramPlayer(element, api.programUrl(), {
						onPlaying: () => setNotice(undefined),
						onWaiting: setNotice,
					});
					stop = () => player.stop("");
				}
			},
			() => setNotice("The player could not be loaded. Hide it and try again."),
		);
		return () => {
			over = true;
			stop();
		};
	}, [api]);
	return (
		<div class="tile program">
			<video ref={video} class="picture" playsInline muted aria-label="The show, as viewers see it" />
			{notice !== undefined && <p class="tile-empty">{notice}</p>}
		</div>
	);
}
