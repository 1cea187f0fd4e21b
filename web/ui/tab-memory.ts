import type { TabMemory } from "./entrance.ts";

/** The tab's own storage; where the browser keeps it from the page, what is remembered goes with a reload. */
export function tabMemory(): TabMemory {
	return usable(() => sessionStorage);
}

/** The same of what is remembered longer. */
export function browserMemory(): TabMemory {
	return usable(() => localStorage);
}

function usable(storage: () => Storage): TabMemory {
	try {
		return storage();
	} catch {
		// Blocked by the person's settings.
		const values = new Map<string, string>();
		return {
			getItem: (key) => values.get(key) ?? null,
			setItem: (key, value) => void values.set(key, value),
		};
	}
}
