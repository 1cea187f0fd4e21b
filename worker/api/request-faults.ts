import type { z } from "zod";
import type { RequestFault } from "./api-problem.ts";

type Issue = z.core.$ZodIssue;

/** What a schema found wrong, in words, without the values that were sent: any of them may be a key. */
export function requestFaults(issues: readonly Issue[]): RequestFault[] {
	return issues.flatMap((issue) => {
		const path = issue.path.map(String);
		if (issue.code === "unrecognized_keys") {
			return issue.keys.map((key) => ({
				path: [...path, key].join("."),
				detail: "expected only fields this version knows, got another",
			}));
		}
		return [{ path: path.join("."), detail: issue.message.replace(/^Invalid (input|option): /, "") }];
	});
}

/** All faults in one sentence. */
export function faultsInWords(faults: readonly RequestFault[]): string {
	return faults.map(({ path, detail }) => (path === "" ? detail : `${path}: ${detail}`)).join("; ");
}
