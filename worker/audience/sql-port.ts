/** A value as a table of the object holds it. */
export type SqlValue = string | number | null;

/** The one thing that is asked of an object's SQLite storage, as `DurableObjectStorage.sql` gives it. */
export interface SqlPort {
	exec(query: string, ...bindings: SqlValue[]): { toArray(): Record<string, unknown>[] };
}
