import { describe, expect, it } from "vitest";
import {
	aptPrefix,
	type Machine,
	manualInstallAdvice,
	missingPackages,
	modulesAreStale,
	nodeIsNewEnough,
	purposeFrom,
} from "../../../scripts/setup-plan.mjs";

function machineWith(options: { chromium?: boolean; commands?: string[]; packages?: string[] | "no dpkg" }): Machine {
	const { packages = [] } = options;
	return {
		hasChromium: options.chromium ?? false,
		hasCommand: (name) => options.commands?.includes(name) ?? false,
		hasPackage: (name) => (packages === "no dpkg" ? undefined : packages.includes(name)),
	};
}

describe("what setup decides", () => {
	it("asks for Chromium alone when starting, and for nothing when a user's own is there", () => {
		expect(missingPackages("start", machineWith({}))).toEqual(["chromium"]);
		expect(missingPackages("start", machineWith({ chromium: true }))).toEqual([]);
	});

	it("keeps the big packages of the tests out of the demo", () => {
		const demo = missingPackages("demo", machineWith({}));
		expect(demo).toEqual(["chromium", "ffmpeg", "espeak-ng", "fonts-dejavu-core"]);
		expect(missingPackages("test", machineWith({}))).toEqual(expect.arrayContaining([...demo, "obs-studio", "nginx"]));
	});

	it("needs a browser and ffmpeg for the faults, and no voices", () => {
		expect(missingPackages("faults", machineWith({}))).toEqual(["chromium", "ffmpeg", "fonts-dejavu-core"]);
	});

	it("needs no Debian package for checking types", () => {
		expect(missingPackages("check", machineWith({}))).toEqual([]);
	});

	it("takes a command on PATH for its package, however it got there", () => {
		const missing = missingPackages("demo", machineWith({ chromium: true, commands: ["ffmpeg", "espeak-ng"] }));
		expect(missing).toEqual(["fonts-dejavu-core"]);
	});

	it("finds nothing missing when dpkg has every package", () => {
		const packages = missingPackages("test", machineWith({ chromium: true }));
		expect(missingPackages("test", machineWith({ chromium: true, packages }))).toEqual([]);
	});

	it("asks only for commands where there is no dpkg to ask about the rest", () => {
		const machine = machineWith({ chromium: true, commands: ["ffmpeg"], packages: "no dpkg" });
		expect(missingPackages("demo", machine)).toEqual(["espeak-ng"]);
	});

	const lock = {
		packages: {
			"": { version: "0.1.0" },
			"node_modules/a": { version: "1.0.0" },
			"node_modules/b-darwin": { version: "2.0.0", optional: true },
		},
	};
	it.each([
		["nothing is installed", undefined, true],
		[
			"all but another platform's package is installed",
			{ packages: { "node_modules/a": { version: "1.0.0" } } },
			false,
		],
		["a package is missing", { packages: {} }, true],
		["a package has another version", { packages: { "node_modules/a": { version: "1.0.1" } } }, true],
		[
			"an optional package has another version",
			{
				packages: {
					"node_modules/a": { version: "1.0.0" },
					"node_modules/b-darwin": { version: "1.9.0", optional: true },
				},
			},
			true,
		],
	])("when %s, stale is decided from the lock files' contents", (_case, installed, stale) => {
		expect(modulesAreStale(lock, installed)).toBe(stale);
	});

	it.each([
		["v24.21.0\n", true],
		["v22.12.0", true],
		["v22.11.9", false],
		["v20.20.2", false],
		["", false],
	])("judges Node %j as new enough: %s", (version, enough) => {
		expect(nodeIsNewEnough(version)).toBe(enough);
	});

	it("installs as root, or by sudo that asks nothing, and else only tells how", () => {
		expect(aptPrefix({ hasApt: true, isRoot: true, hasPasswordlessSudo: false })).toEqual([]);
		expect(aptPrefix({ hasApt: true, isRoot: false, hasPasswordlessSudo: true })).toEqual(["sudo", "-n"]);
		expect(aptPrefix({ hasApt: true, isRoot: false, hasPasswordlessSudo: false })).toBeUndefined();
		expect(aptPrefix({ hasApt: false, isRoot: true, hasPasswordlessSudo: false })).toBeUndefined();
		expect(manualInstallAdvice(["ffmpeg"], true)).toContain("apt-get install --no-install-recommends ffmpeg");
		expect(manualInstallAdvice(["chromium"], false)).toContain("PUPPETEER_EXECUTABLE_PATH");
	});

	it("refuses a purpose it does not know, naming those it does", () => {
		expect(purposeFrom(["--for=demo"])).toBe("demo");
		expect(purposeFrom([])).toBe("start");
		expect(() => purposeFrom(["--for=everything"])).toThrow(
			"expected --for=start|demo|faults|bench|test|check, got --for=everything",
		);
	});
});
