import { spawn } from "node:child_process";

export interface ToolResult {
	readonly code: number;
	readonly stdout: Buffer;
	readonly stderr: string;
}

/** Runs a program to its end. Rejects only when it cannot be started: what its exit code means is the caller's to say. */
export function runTool(
	command: string,
	args: readonly string[],
	options: { readonly env?: NodeJS.ProcessEnv } = {},
): Promise<ToolResult> {
	const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
	const stdout: Buffer[] = [];
	let stderr = "";
	child.stdout.on("data", (data: Buffer) => stdout.push(data));
	child.stderr.on("data", (data: Buffer) => {
		stderr += data.toString();
	});
	return new Promise((resolve, reject) => {
		child.once("error", reject);
		child.once("close", (code) => resolve({ code: code ?? -1, stdout: Buffer.concat(stdout), stderr }));
	});
}

/** As {@link runTool}, for programs that must succeed. */
export async function mustRun(command: string, args: readonly string[]): Promise<Buffer> {
	const { code, stdout, stderr } = await runTool(command, args);
	if (code !== 0) {
		throw new Error(`${command}: expected success, got exit code ${code}: ${stderr.slice(-2_000)}`);
	}
	return stdout;
}
