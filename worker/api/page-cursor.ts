import { z } from "zod";
import { BROADCAST_ID_PATTERN } from "../auth/random-id.ts";
import type { IndexPosition } from "../broadcast/index-query.ts";
import { ApiProblem } from "./api-problem.ts";

/** What is asked of the list beside the page: a cursor is good for the same questions only. */
export type ListQuestions = Readonly<Record<string, string>>;

/** Room for the longest search there may be, twice encoded. */
export const MAX_CURSOR_LENGTH = 4_000;

const cursorSchema = z.tuple([z.int(), z.string().regex(BROADCAST_ID_PATTERN), z.string()]);

/** Where a page ended and what it was a page of, as one opaque word. */
export function writeCursor({ atMs, id }: IndexPosition, questions: ListQuestions): string {
	return btoa(JSON.stringify([atMs, id, inOneLine(questions)]))
		.replaceAll("+", "-")
		.replaceAll("/", "_")
		.replaceAll("=", "");
}

/** @throws {ApiProblem} for a word that {@link writeCursor} did not write, or wrote for other questions */
export function readCursor(cursor: string, questions: ListQuestions): IndexPosition {
	const { atMs, id, asked } = decoded(cursor);
	if (asked !== inOneLine(questions)) {
		throw cursorProblem(`the same questions as on the page before (${asked || "none"}), got others`);
	}
	return { atMs, id };
}

function decoded(cursor: string): IndexPosition & { readonly asked: string } {
	try {
		const [atMs, id, asked] = cursorSchema.parse(JSON.parse(atob(cursor.replaceAll("-", "+").replaceAll("_", "/"))));
		return { atMs, id, asked };
	} catch (cause) {
		const problem = cursorProblem("a nextCursor of an earlier page, got something else");
		problem.cause = cause;
		throw problem;
	}
}

/** As a query string, which is ASCII whatever is searched for. */
function inOneLine(questions: ListQuestions): string {
	return new URLSearchParams(Object.entries(questions).toSorted(([a], [b]) => (a < b ? -1 : 1))).toString();
}

function cursorProblem(expected: string): ApiProblem {
	const detail = `expected ${expected}`;
	return new ApiProblem("invalid-request", `cursor: ${detail}`, [{ path: "cursor", detail }]);
}
