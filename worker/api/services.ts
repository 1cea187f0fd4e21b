import { createRoute, z } from "@hono/zod-openapi";
import { SERVICE_LIMITS } from "../destinations/limits.ts";
import { SERVICE_PRESETS } from "../destinations/services.ts";
import { DESTINATION_SERVICES } from "../protocol/broadcast-commands.ts";
import { DESTINATION_ROUTES } from "../protocol/destination-route.ts";
import { answers, newApiApp } from "./api-app.ts";

/** The same for everyone until the next deploy. */
const CACHED_FOR_S = 3_600;

const bps = z.int().openapi({ description: "Bits per second" });

const serviceSchema = z
	.object({
		id: z.enum(DESTINATION_SERVICES),
		name: z.string(),
		servers: z
			.array(z.object({ name: z.string(), url: z.string() }))
			.readonly()
			.openapi({ description: "Its usual one first, which a destination without a `url` goes to" }),
		domains: z.array(z.string()).readonly().openapi({ description: "By whose hosts an address is recognised" }),
		rtmpsOnly: z.boolean().openapi({ description: "`rtmp://` is refused" }),
		onlyVia: z
			.object({ via: z.enum(DESTINATION_ROUTES), reason: z.string() })
			.optional()
			.openapi({ description: "The only way there, and why" }),
		limits: z
			.object({
				video: z
					.array(
						z.object({
							longSidePx: z.int(),
							shortSidePx: z.int(),
							frameRate: z.int(),
							minBitrateBps: bps.optional(),
							maxBitrateBps: bps,
						}),
					)
					.readonly()
					.openapi({ description: "That of the first one that the picture fits in counts" }),
				keyFrameIntervalS: z.object({ min: z.number().optional(), max: z.number() }).optional(),
				maxAudioBitrateBps: bps.optional(),
				aspectRatio: z.number().optional().openapi({ description: "Longer side to shorter side" }),
				maxBFrames: z.int().optional(),
				maxHours: z.number().optional(),
			})
			.openapi({ description: "As the service publishes them; what it does not is absent" }),
	})
	.openapi("Service");

export const serviceListSchema = z.object({ services: z.array(serviceSchema) }).openapi("ServiceList");

export const services = newApiApp().openapi(
	createRoute({
		method: "get",
		path: "/services",
		summary: "The services a destination can be at, with their servers and limits",
		responses: answers(200, "All that are known", serviceListSchema),
	}),
	(c) => {
		c.header("Cache-Control", `public, max-age=${CACHED_FOR_S}`);
		const list = DESTINATION_SERVICES.map((id) => ({ id, ...SERVICE_PRESETS[id], limits: SERVICE_LIMITS[id] }));
		return c.json({ services: list }, 200);
	},
);
