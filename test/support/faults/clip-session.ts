import { readMediaTags } from "../rtmp/flv-file.ts";
import type { ReceivedSession } from "./received.ts";

/** A clip as if a publisher had sent it at its own pace, without a fault: what the judge's own errors are measured by. */
export async function clipSession(path: string, startedAtMs = 0): Promise<ReceivedSession> {
	const tags = await readMediaTags(path);
	return {
		startedAtMs,
		endedAtMs: startedAtMs + (tags.at(-1)?.timestampMs ?? 0),
		tags: tags.map((tag) => ({ ...tag, arrivedAtMs: startedAtMs + tag.timestampMs })),
	};
}
