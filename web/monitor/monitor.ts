import { LAYOUT_NAMES, type LayoutName } from "../../media/layout.ts";
import { ProgramPlayer } from "../ui/program-player.ts";
import { figuresOf } from "./figures.ts";
import { MonitorApi } from "./monitor-api.ts";

/**
 * Plays a broadcast's program as it leaves the compositor, shows its figures and changes its layout.
 * Address: `/monitor/#broadcast={id}&token={host or admin token}`; the fragment never leaves the browser.
 */

const FIGURES_EVERY_MS = 1_000;

const LAYOUT_LABELS: Record<LayoutName, string> = {
	solo: "Solo",
	pip: "Picture in picture",
	landscape: "Side by side",
	vertical: "Stacked",
	grid: "Grid",
};

function element<T extends HTMLElement>(id: string, type: new () => T): T {
	const found = document.getElementById(id);
	if (!(found instanceof type)) {
		throw new Error(`monitor: expected an element #${id} of ${type.name}, got ${found?.tagName ?? "nothing"}`);
	}
	return found;
}

const title = element("title", HTMLHeadingElement);
const state = element("state", HTMLParagraphElement);
const notice = element("notice", HTMLParagraphElement);
const layouts = element("layouts", HTMLFieldSetElement);
const sound = element("sound", HTMLButtonElement);
const figures = element("figures", HTMLDListElement);
const video = element("program", HTMLVideoElement);

function showState(text: string, kind: "live" | "problem" | "neutral"): void {
	state.textContent = text;
	state.dataset.kind = kind;
}

function showNotice(text: string | undefined): void {
	notice.textContent = text ?? "";
	notice.hidden = text === undefined;
}

function showFigures(rows: readonly (readonly [name: string, value: string])[]): void {
	figures.replaceChildren(
		...rows.map(([name, value]) => {
			const row = document.createElement("div");
			const term = document.createElement("dt");
			const definition = document.createElement("dd");
			term.textContent = name;
			definition.textContent = value;
			row.append(term, definition);
			return row;
		}),
	);
}

function showLayout(current: LayoutName): void {
	for (const button of layouts.querySelectorAll("button")) {
		button.setAttribute("aria-pressed", String(button.value === current));
	}
}

function start(broadcastId: string, token: string): void {
	const api = new MonitorApi(broadcastId, token);
	const player = new ProgramPlayer(video, api.programUrl(), {
		onPlaying: () => showNotice(undefined),
		onWaiting: (reason) => showNotice(reason),
	});

	for (const name of LAYOUT_NAMES) {
		const button = document.createElement("button");
		button.type = "button";
		button.value = name;
		button.textContent = LAYOUT_LABELS[name];
		button.onclick = async () => {
			try {
				await api.setLayout(name);
				showLayout(name);
			} catch (error) {
				showState(error instanceof Error ? error.message : String(error), "problem");
			}
		};
		layouts.append(button);
	}

	sound.onclick = () => {
		video.muted = !video.muted;
		sound.setAttribute("aria-pressed", String(!video.muted));
		sound.textContent = video.muted ? "Sound off" : "Sound on";
	};

	const refresh = async (): Promise<void> => {
		try {
			const [broadcast, stats] = await Promise.all([api.broadcast(), api.stats()]);
			title.textContent = broadcast.title;
			document.title = `${broadcast.title} · Tandem`;
			showLayout(broadcast.layout);
			showState(broadcast.status, broadcast.status === "live" ? "live" : "neutral");
			showFigures(figuresOf(stats, player.latencyS()));
			if (broadcast.status === "ended") {
				player.stop("The broadcast has ended.");
				return;
			}
		} catch (error) {
			showState(error instanceof Error ? error.message : String(error), "problem");
		}
		setTimeout(refresh, FIGURES_EVERY_MS);
	};
	void refresh();
}

const fragment = new URLSearchParams(location.hash.slice(1));
const broadcastId = fragment.get("broadcast");
const token = fragment.get("token");
if (broadcastId === null || token === null) {
	showState("no broadcast", "problem");
	showNotice("Open this page with #broadcast={id}&token={token} at the end of its address.");
} else {
	start(broadcastId, token);
}
