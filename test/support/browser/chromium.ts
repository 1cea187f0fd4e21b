import { chromiumFlags } from "../../../runner/browser/chromium-flags.ts";

/** Debian's Chromium, where nothing else is said: a browser download is not part of the tests. */
export const CHROMIUM_PATH = process.env.PUPPETEER_EXECUTABLE_PATH ?? "/usr/bin/chromium";

/** The browser that tests run in is started as the runner starts its own; containers often have too little shared memory. */
export const CHROMIUM_FLAGS: readonly string[] = [
	...chromiumFlags(process.getuid?.() === 0),
	"--disable-dev-shm-usage",
];
