/**
 * What a machine needs and what of it is missing: the decisions of setup.mjs, without doing anything. Plain JavaScript for Node 20.
 */

export const PURPOSES = ["start", "demo", "faults", "bench", "test", "check"];

/** wrangler, vitest and puppeteer-core ask for this. */
const MIN_NODE = [22, 12];

/**
 * Debian packages and who needs them. `commands`: any one of them on PATH will do as well, however it got there. Chromium has its own
 * rule, since a user's own Chrome will do.
 */
const REQUIREMENTS = [
	{ package: "chromium", purposes: ["start", "demo", "faults", "bench", "test"] },
	{ package: "ffmpeg", purposes: ["demo", "faults", "bench", "test"], commands: ["ffmpeg"] },
	{ package: "espeak-ng", purposes: ["demo", "bench", "test"], commands: ["espeak-ng"] },
	{ package: "fonts-dejavu-core", purposes: ["demo", "faults", "bench", "test"] },
	{ package: "nginx", purposes: ["bench", "test"], commands: ["nginx", "/usr/sbin/nginx"] },
	{ package: "libnginx-mod-rtmp", purposes: ["bench", "test"] },
	{ package: "gstreamer1.0-tools", purposes: ["test"], commands: ["gst-launch-1.0"] },
	{ package: "gstreamer1.0-plugins-base", purposes: ["test"] },
	{ package: "gstreamer1.0-plugins-good", purposes: ["test"] },
	{ package: "gstreamer1.0-plugins-ugly", purposes: ["test"] },
	{ package: "gstreamer1.0-plugins-bad", purposes: ["test"] },
	{ package: "gstreamer1.0-libav", purposes: ["test"] },
	{ package: "gstreamer1.0-nice", purposes: ["test"] },
	{ package: "gir1.2-gst-plugins-bad-1.0", purposes: ["test"] },
	{ package: "python3-gi", purposes: ["test"] },
	{ package: "openssl", purposes: ["test"], commands: ["openssl"] },
	{ package: "curl", purposes: ["test"], commands: ["curl"] },
	{ package: "jq", purposes: ["test"], commands: ["jq"] },
	{ package: "flvmeta", purposes: ["test"], commands: ["flvmeta"] },
	{ package: "obs-studio", purposes: ["test"], commands: ["obs"] },
	{ package: "xvfb", purposes: ["bench", "test"], commands: ["Xvfb"] },
	{ package: "xauth", purposes: ["test"], commands: ["xauth"] },
];

/** The purpose named by `--for=…`; `start` when none is. */
export function purposeFrom(argv) {
	const named = argv.find((argument) => argument.startsWith("--for="))?.slice("--for=".length) ?? "start";
	if (!PURPOSES.includes(named)) {
		throw new Error(`setup: expected --for=${PURPOSES.join("|")}, got --for=${named}`);
	}
	return named;
}

/**
 * Debian packages that are missing for a purpose.
 *
 * @param machine hasCommand(name), hasPackage(name) and hasChromium; hasPackage answers `undefined` where there is no dpkg to ask, and what
 *   only dpkg could tell is then taken as there
 */
export function missingPackages(purpose, machine) {
	return REQUIREMENTS.filter((need) => need.purposes.includes(purpose))
		.filter((need) => !isThere(need, machine))
		.map((need) => need.package);
}

function isThere(need, machine) {
	if (need.package === "chromium") {
		return machine.hasChromium;
	}
	if (need.commands?.some((command) => machine.hasCommand(command))) {
		return true;
	}
	return machine.hasPackage(need.package) ?? need.commands === undefined;
}

/** Whether node_modules differs from the lock file in anything this machine would have installed. Both are lock files, parsed. */
export function modulesAreStale(lock, installed) {
	if (installed === undefined) {
		return true;
	}
	return Object.entries(lock.packages).some(([path, wanted]) => {
		if (path === "") {
			return false;
		}
		const got = installed.packages[path];
		// Optional packages are mostly other platforms'.
		return got === undefined ? wanted.optional !== true : got.version !== wanted.version;
	});
}

/** Whether `v24.21.0` and the like is new enough for the project's tools. */
export function nodeIsNewEnough(version) {
	const [major = 0, minor = 0] = version.trim().replace(/^v/, "").split(".").map(Number);
	return major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1]);
}

/** How this user may install Debian packages: a command prefix, or `undefined` when not at all. */
export function aptPrefix({ hasApt, isRoot, hasPasswordlessSudo }) {
	if (!hasApt) {
		return undefined;
	}
	if (isRoot) {
		return [];
	}
	return hasPasswordlessSudo ? ["sudo", "-n"] : undefined;
}

/** What to tell a user on whose machine setup may not install packages. */
export function manualInstallAdvice(packages, hasApt) {
	const chromium = packages.includes("chromium")
		? ["Instead of chromium, your own Chrome will do: set PUPPETEER_EXECUTABLE_PATH to its executable."]
		: [];
	const what = hasApt
		? `Install as root, then run this again:\n  apt-get install --no-install-recommends ${packages.join(" ")}`
		: `Install with your system's package manager (these are Debian's names), then run this again:\n  ${packages.join(" ")}`;
	return [what, ...chromium].join("\n");
}
