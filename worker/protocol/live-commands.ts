import { z } from "zod";
import { LAYOUT_NAMES } from "../../media/layout.ts";
import { guestIdSchema, PERSON_IDS, personIdSchema } from "./roles.ts";

/** What a host and an admin change while a show runs, and what a guest changes of themselves: the same over HTTP and over the control socket. */

/** What still fits a label in a corner of the picture. */
export const MAX_PERSON_NAME_LENGTH = 60;
/** Four times as loud, 12 dB: what is quieter than that is a matter of the microphone. */
const MAX_GAIN = 4;
const MAX_DESTINATION_ID_LENGTH = 64;

export const layoutNameSchema = z.enum(LAYOUT_NAMES);
export const personNameSchema = z.string().trim().min(1).max(MAX_PERSON_NAME_LENGTH);
/** Linear; 1 is unchanged. */
export const gainSchema = z.number().min(0).max(MAX_GAIN);

export const sceneChangesSchema = z.strictObject({
	layout: layoutNameSchema.exactOptional(),
	/** Whether names are shown. */
	labels: z.boolean().exactOptional(),
	/** Who comes first, second …; the others follow in their usual order. */
	order: z.array(personIdSchema).max(PERSON_IDS.length).exactOptional(),
});

export const personChangesSchema = z.strictObject({
	name: personNameSchema.exactOptional(),
	gain: gainSchema.exactOptional(),
	muted: z.boolean().exactOptional(),
});

/** The commands that the control socket takes. */
export const liveCommandSchema = z.discriminatedUnion("type", [
	sceneChangesSchema.extend({ type: z.literal("set-scene") }),
	personChangesSchema.extend({ type: z.literal("set-person"), personId: personIdSchema }),
	z.strictObject({ type: z.literal("admit-person"), personId: guestIdSchema }),
	z.strictObject({ type: z.literal("remove-person"), personId: guestIdSchema }),
	z.strictObject({ type: z.literal("start") }),
	z.strictObject({ type: z.literal("end") }),
	/** Beside the type, what the body of `POST …/destinations` holds: checked and sealed as it is. */
	z.looseObject({ type: z.literal("add-destination") }),
	z.strictObject({
		type: z.literal("remove-destination"),
		destinationId: z.string().min(1).max(MAX_DESTINATION_ID_LENGTH),
	}),
]);
export type LiveCommand = z.infer<typeof liveCommandSchema>;

export const LIVE_COMMAND_TYPES = liveCommandSchema.options.map(({ shape }) => shape.type.value);
