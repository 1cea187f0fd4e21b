import { z } from "zod";

/** Which shard of which broadcast an Audience object is; it does not learn it from its name. */
const placeSchema = z.object({ broadcastId: z.string().min(1), shard: z.coerce.number().int().nonnegative() });
export type AudiencePlace = z.infer<typeof placeSchema>;

/** The path by which the route asks a shard to take somebody in. */
export function joinPath({ broadcastId, shard }: AudiencePlace): string {
	return `/join?${new URLSearchParams({ broadcastId, shard: String(shard) })}`;
}

/** @throws for another path than {@link joinPath} makes */
export function readPlace(url: URL): AudiencePlace {
	return placeSchema.parse(Object.fromEntries(url.searchParams));
}
