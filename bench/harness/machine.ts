import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem } from "node:os";
import { findChromium } from "../../runner/browser/find-chromium.ts";

/** What figures depend on besides the code. */
export interface Machine {
	/** Day of the measurement, ISO 8601. */
	readonly date: string;
	/** Of the tree measured, with a plus sign where it had changes that were not committed. */
	readonly commit: string;
	readonly cores: number;
	readonly processor: string;
	readonly memoryGiB: number;
	/** Name and version of all that takes part. */
	readonly versions: readonly string[];
}

export function thisMachine(): Machine {
	const changed = said("git", "status", "--porcelain", "--", ".", ":!docs", ":!bench/results") !== "";
	return {
		date: new Date().toISOString().slice(0, 10),
		commit: `${said("git", "rev-parse", "--short", "HEAD") || "unknown"}${changed ? "+" : ""}`,
		cores: availableParallelism(),
		processor: cpus()[0]?.model.trim() ?? "unknown processor",
		memoryGiB: Math.round(totalmem() / 2 ** 30),
		versions: [
			`Linux ${release()}`,
			`Node ${process.versions.node}`,
			said(chromium(), "--version").replace(/ (built|running) on.*/, "") || "no Chromium",
			/^ffmpeg version \S+/.exec(said("ffmpeg", "-version"))?.[0].replace(" version", "") ?? "no ffmpeg",
		],
	};
}

/** What a command says, without the line's end; nothing where it is missing or fails. */
function said(command: string, ...args: string[]): string {
	try {
		return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
	} catch {
		return "";
	}
}

function chromium(): string {
	try {
		return findChromium(process.env.PUPPETEER_EXECUTABLE_PATH, existsSync);
	} catch {
		return "chromium";
	}
}
