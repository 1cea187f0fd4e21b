import { join } from "node:path";
import { layOut } from "../../compositor-page/layouts/lay-out.ts";
import type { FlvTag } from "../../media/flv/tag.ts";
import type { Rect } from "../../media/layout.ts";
import { makeCountedClip } from "../../test/support/faults/counted-clip.ts";
import { readMediaTags } from "../../test/support/rtmp/flv-file.ts";
import { TALKERS, type Talker } from "../../test/support/system/talkers.ts";

export const PROGRAM = { width: 1_280, height: 720, frameRate: 30 } as const;
export const LAYOUT = "landscape";

/** What each person's pictures carry beside their number. */
export const CODE_IDS: Readonly<Record<Talker, number>> = { host: 1, guest: 101 };
const TONES_HZ = { host: [600, 900], guest: [1_500, 2_100] } as const;

export type Feeds = Readonly<Record<Talker, readonly FlvTag[]>>;

/** A clip of each person whose every picture carries its number, read into memory: publishing it costs no disk and no encoder. */
export async function makeFeeds(folder: string, seconds: number): Promise<Feeds> {
	const make = async (talker: Talker) => {
		const path = join(folder, `${talker}.flv`);
		await makeCountedClip(path, { id: CODE_IDS[talker], ...PROGRAM, seconds, tonesHz: TONES_HZ[talker] });
		return await readMediaTags(path);
	};
	return { host: await make("host"), guest: await make("guest") };
}

/** The whole picture, where a host who is alone is shown. */
export const WHOLE: Rect = { x: 0, y: 0, width: PROGRAM.width, height: PROGRAM.height };

/** Where the two are shown together. */
export const TOGETHER: readonly Rect[] = layOut(LAYOUT, PROGRAM, TALKERS).places.map(({ rect }) => rect);
