import { existsSync } from "node:fs";
import { CompositorBrowser } from "../../../runner/browser/compositor-browser.ts";
import { findChromium } from "../../../runner/browser/find-chromium.ts";

/**
 * A stand-in for a runner that is killed: starts one browser at the address given, with an assignment for the broadcast given, says the
 * browser's process id and waits for its end.
 */
const [, , pageUrl = "", broadcastId = ""] = process.argv;
const browser = await CompositorBrowser.launch({
	pageUrl,
	chromiumPath: findChromium(process.env.PUPPETEER_EXECUTABLE_PATH, existsSync),
	log: () => {},
	signal: AbortSignal.timeout(60_000),
});
// A page that hangs never answers.
browser.start({ apiUrl: pageUrl, broadcastId, fence: 1, token: "" }).catch(() => {});
console.log(browser.pid);
