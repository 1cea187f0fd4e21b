import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TAG_TYPE } from "../../../../media/flv/tag.ts";
import { clipSession } from "../../../support/faults/clip-session.ts";
import { makeCountedClip } from "../../../support/faults/counted-clip.ts";
import { decodeReceived } from "../../../support/faults/decode-received.ts";
import { judge } from "../../../support/faults/judge.ts";
import type { ReceivedSession, ReceivedTag } from "../../../support/faults/received.ts";
import { TempFolder } from "../../../support/peers/temp-folder.ts";

const SECONDS = 6;
const SIZE = { width: 640, height: 360 };
const TONES_HZ = [600, 900] as const;

const folder = new TempFolder();
let whole: ReceivedSession;

beforeAll(async () => {
	const path = folder.file("clip.flv");
	await makeCountedClip(path, { id: 1, ...SIZE, frameRate: 30, seconds: SECONDS, tonesHz: TONES_HZ });
	whole = await clipSession(path);
});
afterAll(() => folder[Symbol.dispose]());

async function judged(sessions: readonly ReceivedSession[]) {
	const options = { ...SIZE, places: [{ x: 0, y: 0, ...SIZE }], tonesHz: TONES_HZ };
	const timeline = await decodeReceived(sessions, options);
	return judge(timeline, { frameRate: 30, ids: [1], fromMs: 0, toMs: SECONDS * 1_000, injectedAtMs: 2_000 });
}

function withTags(change: (tags: readonly ReceivedTag[]) => readonly ReceivedTag[]): ReceivedSession[] {
	return [{ ...whole, tags: change(whole.tags) }];
}

/** The same over time that has gone past 2^32 in the middle. */
function wrapped(tags: readonly ReceivedTag[]): ReceivedTag[] {
	return tags.map((tag) => ({ ...tag, timestampMs: (tag.timestampMs + 2 ** 32 - 3_000) % 2 ** 32 }));
}

describe("a clip that was received", () => {
	it("is flawless as it was made, with sound and picture together to the millisecond", async () => {
		const verdict = await judged([whole]);
		expect(verdict).toMatchObject({ unread: 0, repeats: 0, shownTwice: 0, videoBackwards: 0, audioBackwards: 0 });
		expect(verdict.complaints).toEqual([]);
		expect(verdict.freezeMs).toBeLessThan(2);
		expect(verdict.silenceMs).toBeLessThan(2);
		expect(Math.abs(verdict.worstSkewMs ?? Number.NaN)).toBeLessThan(2);
	});

	it("is flawless over a wrap of time", async () => {
		expect(await judged(withTags(wrapped))).toMatchObject({ unread: 0, videoBackwards: 0, audioBackwards: 0 });
	});

	it("is not when pictures are missing up to the next key frame, and each picture is still told apart", async () => {
		const verdict = await judged(
			withTags((tags) =>
				tags.filter((tag) => tag.type !== TAG_TYPE.video || tag.timestampMs < 3_000 || tag.timestampMs >= 4_000),
			),
		);
		expect(verdict.freezeMs).toBeGreaterThan(950);
		expect(verdict).toMatchObject({ repeats: 0, shownTwice: 0 });
		expect(Math.abs(verdict.worstSkewMs ?? Number.NaN)).toBeLessThan(2);
	});

	it("is not when a stretch is sent again with times that go on", async () => {
		const again = (tags: readonly ReceivedTag[]) => {
			const later = tags.map((tag) => ({ ...tag, timestampMs: tag.timestampMs + 2_000 }));
			// From a key frame on, as a decoder needs it.
			return [...tags.filter((tag) => tag.timestampMs < 4_000), ...later.filter((tag) => tag.timestampMs >= 4_000)];
		};
		expect((await judged(withTags(again))).shownTwice).toBeGreaterThan(20);
	});

	it("is not when sound is missing", async () => {
		const verdict = await judged(
			withTags((tags) =>
				tags.filter((tag) => tag.type !== TAG_TYPE.audio || tag.timestampMs < 2_500 || tag.timestampMs >= 2_800),
			),
		);
		expect(verdict.silenceMs).toBeGreaterThan(250);
		expect(verdict.silenceMs).toBeLessThan(350);
	});

	it("counts the sessions it took, and goes on in the next", async () => {
		const isHeader = (tag: ReceivedTag, index: number) => index < 6 && tag.timestampMs === 0 && tag.body[1] === 0;
		const headers = whole.tags.filter(isHeader).map((tag) => ({ ...tag, timestampMs: 4_000 }));
		const first = { ...whole, tags: whole.tags.filter((tag) => tag.timestampMs < 3_500) };
		const second = { ...whole, tags: [...headers, ...whole.tags.filter((tag) => tag.timestampMs >= 4_010)] };
		const verdict = await judged([first, second]);
		expect(verdict).toMatchObject({ sessions: 2, videoBackwards: 0, shownTwice: 0 });
		expect(verdict.freezeMs).toBeGreaterThan(450);
	});
});
