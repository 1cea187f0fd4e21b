import { spawn } from "node:child_process";
import { once } from "node:events";
import { endChild } from "./end-child.ts";

export interface XDisplay extends AsyncDisposable {
	readonly pid: number;
	/** Such as `:3`. */
	readonly name: string;
}

/** An X server without a screen, that chooses its own free number and says which. */
export async function startDisplay(size: { readonly width: number; readonly height: number }): Promise<XDisplay> {
	const screen = ["-screen", "0", `${size.width}x${size.height}x24`];
	const server = spawn("Xvfb", ["-displayfd", "3", ...screen, "-nolisten", "tcp"], {
		stdio: ["ignore", "ignore", "ignore", "pipe"],
	});
	const told = server.stdio[3];
	if (told === null || told === undefined) {
		throw new Error("Xvfb: expected a pipe to read its display from, got none");
	}
	const [number] = await Promise.race([
		once(told, "data"),
		once(server, "exit").then(([code]) => {
			throw new Error(`Xvfb: expected a display, got exit code ${code}`);
		}),
	]);
	const { pid } = server;
	if (pid === undefined) {
		throw new Error("Xvfb: expected a process, got none");
	}
	return { pid, name: `:${String(number).trim()}`, [Symbol.asyncDispose]: () => endChild(server) };
}
