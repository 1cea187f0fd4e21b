import { render } from "preact";
import { joinBroadcast } from "../../lib/join-broadcast.ts";
import { holdsCredential, readEntrance } from "../entrance.ts";
import { browserMemory, tabMemory } from "../tab-memory.ts";
import { Attend, type AttendProps } from "./attend.tsx";
import "../styles/theme.css";
import "../styles/controls.css";
import "../styles/entrance.css";
import "../styles/call.css";

/** Puts the page into the document, having taken what lets somebody in out of the address bar, where others may read it. */
export function openPage({ role, room }: Pick<AttendProps, "role" | "room">): void {
	const root = document.getElementById("page");
	if (root === null) {
		throw new Error("page: expected an element #page, got none");
	}
	const memory = tabMemory();
	const entrance = readEntrance(location, memory);
	history.replaceState(null, "", location.pathname);
	// Another link of this broadcast, opened in the same tab, changes nothing but the fragment.
	window.addEventListener("hashchange", () => {
		if (holdsCredential(location.hash)) {
			location.reload();
		}
	});
	render(
		<Attend entrance={entrance} role={role} room={room} join={joinBroadcast} memory={memory} names={browserMemory()} />,
		root,
	);
}
