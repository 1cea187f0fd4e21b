import type { z } from "@hono/zod-openapi";
import type { ingestSchema } from "./schemas.ts";

/** Where an encoder sends what it has, and by what it is let in: told once. */
export function ingestAnswer(
	site: { readonly origin: string; readonly rtmpUrl: string },
	streamKey: string,
): z.infer<typeof ingestSchema> {
	const endpoint = `${site.origin}/api/whip`;
	return {
		rtmp: { url: site.rtmpUrl, streamKey },
		whip: { url: `${endpoint}/${streamKey}`, endpoint },
	};
}
