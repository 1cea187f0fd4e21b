/** One call of wrangler. */
export type WranglerCall = readonly string[];

/** As wrangler.toml binds and names it. */
export const INDEX_DATABASE = { binding: "INDEX", name: "tandem-index" } as const;

/**
 * What a deploy consists of, in order: the database that the list of broadcasts lives in is there, and has the columns that the new Worker wants,
 * before the new Worker is. (wrangler finds the database by its name, so that no id stands in wrangler.toml; migrations only ever add, so that the
 * Worker of before goes on with them.)
 * @param options for `wrangler deploy`
 */
export function deploySteps(databaseNames: readonly string[], options: readonly string[]): WranglerCall[] {
	const exists = databaseNames.includes(INDEX_DATABASE.name);
	return [
		...(exists ? [] : [["d1", "create", INDEX_DATABASE.name, "--update-config", "false"]]),
		["d1", "migrations", "apply", INDEX_DATABASE.binding, "--remote"],
		["deploy", ...options],
	];
}
