import { existsSync } from "node:fs";
import { CompositorBrowser } from "../../../runner/browser/compositor-browser.ts";
import { findChromium } from "../../../runner/browser/find-chromium.ts";

/** A stand-in for a runner that is killed: starts one browser at the address given, says its process id and waits for its end. */
const [, , pageUrl = ""] = process.argv;
const browser = await CompositorBrowser.launch({
	pageUrl,
	chromiumPath: findChromium(process.env.PUPPETEER_EXECUTABLE_PATH, existsSync),
	log: () => {},
	signal: AbortSignal.timeout(60_000),
});
console.log(browser.pid);
