/**
 * Installs what is missing, and says so in a line each; says nothing and is quick when nothing is. Runs before `npm start`, `demo`,
 * `faults`, `test` and `check`, so it is plain JavaScript for the system's Node (20 or newer) and imports no package.
 *
 *   node scripts/setup.mjs --for=start|demo|faults|test|check
 */
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
	aptPrefix,
	manualInstallAdvice,
	missingPackages,
	modulesAreStale,
	nodeIsNewEnough,
	purposeFrom,
} from "./setup-plan.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const MODULES = join(ROOT, "node_modules");
const CHROMIUM_LOCATIONS = JSON.parse(readFileSync(join(ROOT, "runner/browser/chromium-locations.json"), "utf8"));

/** Their executables are fetched or linked by an install script, which npm may have been told not to run. */
const PACKAGES_WITH_EXECUTABLES = ["node", "esbuild", "workerd"];
const DPKG_LOCK_TIMEOUT_S = 300;
const LISTS_LOCK_TRIES = 60;
const LISTS_LOCK_PAUSE_MS = 2_000;
const POLICY_FILE = "/usr/sbin/policy-rc.d";

class SetupError extends Error {}

function say(line) {
	console.log(`setup: ${line}`);
}

function run(command, args, options = {}) {
	return spawnSync(command, args, { cwd: ROOT, encoding: "utf8", maxBuffer: 64 * 1024 * 1024, ...options });
}

function runOrThrow(what, command, args, options) {
	const result = run(command, args, options);
	if (result.status !== 0) {
		throw new SetupError(
			`${what} failed: ${result.error?.message ?? `${result.stdout}\n${result.stderr}`.trim().slice(-4_000)}`,
		);
	}
	return result;
}

function hasCommand(name) {
	const candidates = isAbsolute(name)
		? [name]
		: (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, name));
	return candidates.some((path) => {
		try {
			accessSync(path, constants.X_OK);
			return true;
		} catch {
			return false;
		}
	});
}

// --- npm packages ---------------------------------------------------------------------------------------------------------------

function readLock(path) {
	return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;
}

function npm(args) {
	const npmScript = process.env.npm_execpath;
	const [command, ...first] = npmScript?.endsWith(".js") ? [process.execPath, npmScript] : ["npm"];
	// Inside `npm run` the outer npm's prefix would tell the nested one, and that of `node`'s install script, to install elsewhere.
	const { npm_config_local_prefix: _, ...env } = process.env;
	runOrThrow(`npm ${args.join(" ")}`, command, [...first, ...args], { env: { ...env, PUPPETEER_SKIP_DOWNLOAD: "1" } });
}

function installModules() {
	const lock = readLock(join(ROOT, "package-lock.json"));
	if (!modulesAreStale(lock, readLock(join(MODULES, ".package-lock.json")))) {
		return;
	}
	say("installing npm packages (well under a minute)");
	// Not `npm ci`: it refuses a lock file without other platforms' optional packages. Versions are the lock file's all the same.
	npm(["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"]);
}

function versionOf(command) {
	const result = run(join(MODULES, ".bin", command), ["--version"]);
	return result.status === 0 ? result.stdout.trim() : undefined;
}

function works(command) {
	const version = versionOf(command);
	return version !== undefined && (command !== "node" || nodeIsNewEnough(version));
}

/** Runs a package's own install script, which npm leaves out where scripts are not allowed, and links its commands. */
function runInstallScript(name) {
	const folder = join(MODULES, name);
	const { scripts = {} } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
	const [, script] = /^node (\S+)$/.exec(scripts.preinstall ?? scripts.postinstall ?? "") ?? [];
	if (script === undefined) {
		throw new SetupError(`expected an install script "node …" in ${folder}, got ${JSON.stringify(scripts)}`);
	}
	const { npm_config_local_prefix: _, ...env } = process.env;
	runOrThrow(`install script of ${name}`, process.execPath, [script], { cwd: folder, env });
	// Where the executable is the script's own product, npm had nothing to link to.
	npm(["rebuild", "--ignore-scripts", "--loglevel=error", name]);
}

function checkExecutables() {
	for (const name of PACKAGES_WITH_EXECUTABLES) {
		if (works(name)) {
			continue;
		}
		say(`running the install script of ${name}`);
		runInstallScript(name);
		if (!works(name)) {
			throw new SetupError(
				`expected node_modules/.bin/${name} to run, got ${versionOf(name) ?? "nothing"}; remove node_modules`,
			);
		}
	}
}

// --- Debian packages ------------------------------------------------------------------------------------------------------------

function installedDebianPackages() {
	if (!hasCommand("dpkg-query")) {
		return undefined;
	}
	// biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query fills these in itself
	const listed = run("dpkg-query", ["-W", "-f", "${Package} ${db:Status-Status}\n"]).stdout ?? "";
	const installed = listed.split("\n").filter((line) => line.endsWith(" installed"));
	return new Set(installed.map((line) => line.slice(0, line.indexOf(" "))));
}

function hasChromium() {
	const own = process.env.PUPPETEER_EXECUTABLE_PATH;
	if (own !== undefined && own !== "") {
		if (!existsSync(own)) {
			throw new SetupError(`expected an executable at PUPPETEER_EXECUTABLE_PATH, got nothing at ${own}`);
		}
		return true;
	}
	return CHROMIUM_LOCATIONS.some((path) => existsSync(path));
}

function pause(ms) {
	Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** apt-get waits for dpkg's lock by itself, not for that of its lists. Old lists are no reason to give up: installing tells. */
function updatePackageLists(prefix, env) {
	for (let attempt = 1; attempt <= LISTS_LOCK_TRIES; attempt++) {
		const [command, ...args] = [...prefix, "apt-get", "-qq", "update"];
		const result = run(command, args, { env });
		if (result.status === 0 || !/could not get lock|unable to lock/i.test(result.stderr ?? "")) {
			if (result.status !== 0) {
				say(`apt-get update failed, going on with the lists there are: ${(result.stderr ?? "").trim().split("\n")[0]}`);
			}
			return;
		}
		pause(LISTS_LOCK_PAUSE_MS);
	}
}

/** Runs `install` with a policy that starts no service, unless the machine has a policy of its own (invoke-rc.d(8)). */
function withoutStartingServices(isRoot, install) {
	if (!isRoot || existsSync(POLICY_FILE)) {
		return install();
	}
	writeFileSync(POLICY_FILE, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
	try {
		return install();
	} finally {
		rmSync(POLICY_FILE, { force: true });
	}
}

function installDebianPackages(packages) {
	const hasApt = hasCommand("apt-get");
	const isRoot = process.getuid?.() === 0;
	const hasPasswordlessSudo = !isRoot && hasCommand("sudo") && run("sudo", ["-n", "true"]).status === 0;
	const prefix = aptPrefix({ hasApt, isRoot, hasPasswordlessSudo });
	if (prefix === undefined) {
		throw new SetupError(`missing: ${packages.join(", ")}.\n${manualInstallAdvice(packages, hasApt)}`);
	}
	const slow = packages.includes("obs-studio") ? " (a minute or two)" : "";
	say(`installing Debian packages${slow}: ${packages.join(" ")}`);
	const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
	updatePackageLists(prefix, env);
	const [command, ...args] = [
		...prefix,
		"env",
		"DEBIAN_FRONTEND=noninteractive",
		"apt-get",
		"-qq",
		"-o",
		`DPkg::Lock::Timeout=${DPKG_LOCK_TIMEOUT_S}`,
		"install",
		"--yes",
		"--no-install-recommends",
		...packages,
	];
	withoutStartingServices(isRoot, () => runOrThrow("apt-get install", command, args, { env }));
	// Tests start an nginx of their own; the service would take port 80 at the next boot.
	if (packages.includes("nginx") && existsSync("/run/systemd/system")) {
		const [systemctl, ...systemctlArgs] = [...prefix, "systemctl", "disable", "--now", "nginx"];
		run(systemctl, systemctlArgs);
	}
}

function setUp(purpose) {
	installModules();
	checkExecutables();
	const installed = installedDebianPackages();
	const machine = { hasCommand, hasPackage: (name) => installed?.has(name), hasChromium: hasChromium() };
	const missing = missingPackages(purpose, machine);
	if (missing.length > 0) {
		installDebianPackages(missing);
		say("done");
	}
}

try {
	setUp(purposeFrom(process.argv.slice(2)));
} catch (error) {
	if (!(error instanceof Error)) {
		throw error;
	}
	console.error(error instanceof SetupError ? `setup: ${error.message}` : error.message);
	process.exitCode = 1;
}
