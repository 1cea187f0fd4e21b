import { ApiRefusalError } from "../lib/api-client.ts";

const BY_STATUS: Readonly<Record<number, string>> = {
	401: "This link does not work any more. Ask whoever sent it for a new one.",
	403: "This link does not allow that.",
	404: "There is no such show. Check that you have the whole link.",
	429: "That was a little too often. Wait a minute and try again.",
};

/** What went wrong, in words for the person before the page. Never holds a token: refusals do not. */
export function errorWords(error: unknown): string {
	if (error instanceof ApiRefusalError) {
		const known = BY_STATUS[error.status];
		return known ?? (error.status >= 500 ? serverWords(error) : error.message);
	}
	// What fetch throws where there is no answer, in each browser's own words.
	if (error instanceof TypeError) {
		return "The server does not answer. Check your connection and try again.";
	}
	return error instanceof Error && error.message !== "" ? error.message : "Something went wrong. Try again.";
}

function serverWords({ problem }: ApiRefusalError): string {
	const id = problem?.requestId === undefined ? "" : ` (request ${problem.requestId})`;
	return `The server could not do that${id}. Try again in a moment.`;
}
