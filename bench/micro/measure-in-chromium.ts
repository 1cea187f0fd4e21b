import type { BrowserSession } from "../../test/support/browser/browser-session.ts";
import type { KernelTime } from "./kernels-in-worker.ts";
import type { MicroTime } from "./micro-case.ts";

/** Without it the browser rounds its heap's size to hide it from pages. */
export const CHROMIUM_FLAGS = ["--enable-precise-memory-info"];

const MODULE = new URL("./kernels-in-worker.ts", import.meta.url);
/** A picture's worth of work each: a second or two in all. */
const CALLS = 200;

/** The compositor's kernels. In a page, since workers are not told how large their heap is. */
export async function measureInChromium(browser: BrowserSession): Promise<readonly MicroTime[]> {
	const times = await browser.run<KernelTime[]>(MODULE, "timeKernels", [CALLS], { where: "page" });
	return times.map(({ name, us, samples, allocatedBytes }) => ({
		name,
		unit: "call",
		us,
		bytes: samples,
		...(Number.isFinite(allocatedBytes) && { allocatedBytes: Math.max(0, allocatedBytes) }),
	}));
}
