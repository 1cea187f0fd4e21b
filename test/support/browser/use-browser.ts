import { afterAll, beforeAll } from "vitest";
import { BrowserSession } from "./browser-session.ts";

/** A browser for all tests of the calling file or `describe`, opened before the first and closed after the last. */
export function useBrowser(options: { readonly flags?: readonly string[] } = {}): Pick<BrowserSession, "run"> {
	let session: BrowserSession | undefined;
	beforeAll(async () => {
		session = await BrowserSession.open(options);
	});
	afterAll(async () => {
		await session?.close();
	});
	return {
		run: (...args) => {
			if (session === undefined) {
				throw new Error("browser session: expected to be used inside a test, got a call before the browser was open");
			}
			return session.run(...args);
		},
	};
}
