/** More words narrow nothing down any more. */
const MAX_WORDS = 12;

/**
 * What people type into a search box, as an FTS5 query that finds the beginnings of all its words (SQLite, FTS5 §3). Only letters, digits and
 * marks get through, and those in quotes, so that nothing typed is taken for the query language. `undefined` where there is no word.
 */
export function searchQuery(text: string): string | undefined {
	const words = text.match(/[\p{L}\p{N}\p{M}]+/gu)?.slice(0, MAX_WORDS) ?? [];
	// A mark alone is no token, and a phrase without tokens finds nothing.
	const phrases = words.filter((word) => /[\p{L}\p{N}]/u.test(word)).map((word) => `"${word}"*`);
	return phrases.length === 0 ? undefined : phrases.join(" ");
}
