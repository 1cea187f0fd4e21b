import type { BroadcastCommand } from "../../protocol/broadcast-commands.ts";
import { done, type Outcome, refused } from "../../protocol/problem.ts";
import { type BroadcastRecord, personOf } from "../broadcast-record.ts";
import type { Applied } from "./applied.ts";

export function setScene(
	record: BroadcastRecord,
	{
		layout = record.layout,
		labels = record.labels,
		order = record.order,
	}: Extract<BroadcastCommand, { type: "set-scene" }>,
): Outcome<Applied> {
	const stranger = order.find((id) => personOf(record, id) === undefined);
	if (stranger !== undefined) {
		return refused("invalid-request", `scene: expected people of this broadcast in its order, got ${stranger}`);
	}
	if (new Set(order).size < order.length) {
		return refused("invalid-request", "scene: expected everyone once in its order, got somebody twice");
	}
	const same = layout === record.layout && labels === record.labels && order.join() === record.order.join();
	return done({
		record: same ? record : { ...record, layout, labels, order, indexed: record.indexed && layout === record.layout },
	});
}
