import { afterEach, describe, expect, test } from "vitest";
import { useBrowser } from "../../support/browser/use-browser.ts";
import { median } from "../../support/program/onsets.ts";
import { HD, openStreamEdge, Relay, type StreamEdge } from "./stream-edge.ts";
import type { Played } from "./stream-in-page.ts";

const MODULE = new URL("./stream-in-page.ts", import.meta.url);
const FOR_MS = 14_000;
/** Sound and picture settle while the delay is found. */
const SETTLED = 4;
/** What a busy machine may take; the figures are in the output. */
const SLOW_MS = 1_000;
const browser = useBrowser();

let open: StreamEdge | undefined;
afterEach(async () => {
	await open?.edge.close();
});

async function publishAndPlay(person: string, without: readonly string[] = []): Promise<Played> {
	const relay = new Relay();
	open = await openStreamEdge(HD, {
		onConnection: (connection) => relay.take(connection),
		onMessage: (connection) => relay.pass(connection),
	});
	return browser.run<Played>(MODULE, "publishAndPlay", [open.edge.origin, person, FOR_MS, without], { where: "page" });
}

function p95(values: readonly number[]): number {
	return values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.95)] ?? Number.NaN;
}

describe("StreamPlayer", () => {
	test.each([
		{ what: "a guest's H.264 and Opus", person: "guest", without: [] },
		{ what: "a host's H.264 and AAC", person: "host", without: [] },
		{ what: "what comes, on a canvas", person: "guest", without: ["MediaStreamTrackGenerator"] },
	])("plays $what with lips in sync and little delay", async ({ what, person, without }) => {
		const played = await publishAndPlay(person, without);
		const pictureMs = played.pictureMs.slice(SETTLED * 30);
		const soundMs = played.soundMs.slice(SETTLED);
		const skewsMs = played.skewsMs.slice(SETTLED);
		const stepsMs = played.stepsMs.slice(SETTLED * 30);
		console.log(
			`${what}: picture p50 ${median(pictureMs).toFixed(0)} p95 ${p95(pictureMs).toFixed(0)} ms (${pictureMs.length}), sound p50 ` +
				`${median(soundMs).toFixed(0)} ms (${soundMs.length}), skew ${median(skewsMs).toFixed(0)} ms of ${skewsMs.map(Math.round)}, steps p95 ${p95(stepsMs).toFixed(0)} ms; ${played.states}`,
		);
		expect(played.states[0]).toBe("connecting");
		expect(played.states).toContain("playing");
		expect(played.states.at(-1)).toBe("closed");
		expect(pictureMs.length).toBeGreaterThan(30);
		expect(skewsMs.length).toBeGreaterThanOrEqual(3);
		expect(Math.abs(median(skewsMs))).toBeLessThanOrEqual(45);
		expect(median(pictureMs)).toBeLessThan(SLOW_MS);
		expect(median(soundMs)).toBeLessThan(SLOW_MS);
	});
});
