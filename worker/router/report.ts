import type { BroadcastRpc, ProgramChange, StreamChange } from "../protocol/object-rpc.ts";

/** What a Router has to tell its Broadcast. */
export type BroadcastReport =
	| { readonly kind: "stream"; readonly change: StreamChange }
	| { readonly kind: "program"; readonly change: ProgramChange }
	| { readonly kind: "hold-expired" }
	| { readonly kind: "restarted" };

/** Reports of one key replace each other: only the latest counts. */
export function reportKey(report: BroadcastReport): string {
	return report.kind === "stream" ? `stream ${report.change.stream}` : report.kind;
}

export async function tellBroadcast(broadcast: BroadcastRpc, report: BroadcastReport): Promise<void> {
	switch (report.kind) {
		case "stream":
			await broadcast.streamChanged(report.change);
			return;
		case "program":
			await broadcast.programChanged(report.change);
			return;
		case "hold-expired":
			await broadcast.holdExpired();
			return;
		case "restarted":
			await broadcast.routerRestarted();
	}
}
