export const SOURCE_IDS = ["composite", "host"] as const;
export type SourceId = (typeof SOURCE_IDS)[number];

/** The source the program is to be made of: the preferred one where it can be had, the other where not; `undefined` means hold. */
export function chooseSource(prefers: SourceId, canBeHad: (id: SourceId) => boolean): SourceId | undefined {
	const order = prefers === "composite" ? SOURCE_IDS : SOURCE_IDS.toReversed();
	return order.find(canBeHad);
}
