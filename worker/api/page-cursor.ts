import { z } from "zod";
import type { IndexPosition } from "../broadcast/broadcast-index.ts";
import { ApiProblem } from "./api-problem.ts";

const positionSchema = z.tuple([z.number().int(), z.string()]);

/** Where a page ended, as an opaque word. */
export function writeCursor({ createdAtMs, id }: IndexPosition): string {
	return btoa(JSON.stringify([createdAtMs, id]))
		.replaceAll("+", "-")
		.replaceAll("/", "_")
		.replaceAll("=", "");
}

/** @throws {ApiProblem} for a word that {@link writeCursor} did not write */
export function readCursor(cursor: string): IndexPosition {
	try {
		const [createdAtMs, id] = positionSchema.parse(JSON.parse(atob(cursor.replaceAll("-", "+").replaceAll("_", "/"))));
		return { createdAtMs, id };
	} catch (cause) {
		const problem = new ApiProblem(
			"invalid-request",
			"cursor: expected a nextCursor of an earlier page, got something else",
			[{ path: "cursor", detail: "expected a nextCursor of an earlier page, got something else" }],
		);
		problem.cause = cause;
		throw problem;
	}
}
