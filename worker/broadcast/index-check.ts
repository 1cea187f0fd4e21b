import type { BroadcastCommands } from "../protocol/broadcast-commands.ts";
import type { BroadcastTable } from "./broadcast-index.ts";
import { entryOfView } from "./index-entry.ts";
import type { IndexRow } from "./index-query.ts";

export interface IndexCheckPorts {
	readonly table: Pick<BroadcastTable, "putRight" | "remove">;
	broadcast(id: string): Pick<BroadcastCommands, "view">;
}

/** Asks the broadcast that a doubted row stands for, and makes the list say what it says; a row that stands for none goes. */
export async function putRowRight(row: IndexRow, ports: IndexCheckPorts, nowMs: number): Promise<void> {
	const outcome = await ports.broadcast(row.id).view();
	if (outcome.ok) {
		await ports.table.putRight(entryOfView(outcome.value), row, nowMs);
	} else if (outcome.refusal.kind === "not-found") {
		await ports.table.remove(row.id);
	}
}
