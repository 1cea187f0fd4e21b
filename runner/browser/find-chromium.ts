import locations from "./chromium-locations.json" with { type: "json" };

/**
 * The Chromium or Chrome to run: the one asked for by `PUPPETEER_EXECUTABLE_PATH`, else the first of the usual places.
 * @throws Error when there is none
 */
export function findChromium(asked: string | undefined, exists: (path: string) => boolean): string {
	if (asked !== undefined && asked !== "") {
		if (!exists(asked)) {
			throw new Error(`runner: expected Chromium at PUPPETEER_EXECUTABLE_PATH, got nothing at ${asked}`);
		}
		return asked;
	}
	const found = locations.find((path) => exists(path));
	if (found === undefined) {
		throw new Error(
			"runner: expected Chromium or Chrome in a usual place, got none; install it or set PUPPETEER_EXECUTABLE_PATH",
		);
	}
	return found;
}
