/**
 * A page without a window must run at full speed, play sound without a click, and leave the network to us. WebRTC's mDNS names stay
 * off, since a machine without mDNS could not resolve them.
 */
const FLAGS: readonly string[] = [
	"--disable-gpu",
	"--disable-background-timer-throttling",
	"--disable-renderer-backgrounding",
	"--disable-backgrounding-occluded-windows",
	"--autoplay-policy=no-user-gesture-required",
	"--disable-features=WebRtcHideLocalIpsWithMdns",
	"--disable-quic",
	"--no-first-run",
	"--disable-background-networking",
	"--disable-component-update",
	"--disable-sync",
	"--disable-crash-reporter",
];

/** Chromium's sandbox does not work as root, which is what containers run as; elsewhere it stays on. */
export function chromiumFlags(isRoot: boolean): string[] {
	return isRoot ? [...FLAGS, "--no-sandbox"] : [...FLAGS];
}

/** What Chromium needs of our environment. Secrets such as RUNNER_TOKEN stay here. */
const PASSED_ON = ["PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "FONTCONFIG_PATH", "FONTCONFIG_FILE"];

/** The environment of a browser whose home and temporary folder are `profileFolder`, so that all it leaves goes away with that. */
export function chromiumEnvironment(
	environment: Readonly<Record<string, string | undefined>>,
	profileFolder: string,
): Record<string, string> {
	const passed: Record<string, string> = { HOME: profileFolder, TMPDIR: profileFolder };
	for (const name of PASSED_ON) {
		const value = environment[name];
		if (value !== undefined) {
			passed[name] = value;
		}
	}
	return passed;
}
