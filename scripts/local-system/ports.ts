import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/**
 * Where any free port is looked for: below the ranges that Linux, macOS and Windows take the near ends of outgoing connections from. A port out
 * of those is free when it is looked at and taken, now and then, before it is listened on.
 */
const FREE_FROM = 15_000;
const FREE_UNTIL = 32_000;
/** A machine where this many in a row are taken has none to give. */
const FREE_ATTEMPTS = 50;

/**
 * A port that can be listened on: `port` itself, or any free one for 0.
 * @throws Error saying which port is taken and which option chooses another
 */
export async function usablePort(port: number, host: string, option: string): Promise<number> {
	try {
		if (port === 0) {
			return await freePort(host);
		}
		await listenOnce(port, host);
		return port;
	} catch (error) {
		const what = isInUse(error) ? "one that is in use" : `${String(error)}`;
		throw new Error(`start: expected port ${port} on ${host} to be free, got ${what}; choose another with ${option}`, {
			cause: error,
		});
	}
}

/** A port of `host` that was free a moment ago, for what cannot be given a socket that listens already. */
export async function freePort(host = "127.0.0.1"): Promise<number> {
	for (let attempt = 1; ; attempt += 1) {
		const port = randomInt(FREE_FROM, FREE_UNTIL);
		try {
			await listenOnce(port, host);
			return port;
		} catch (error) {
			if (!isInUse(error) || attempt === FREE_ATTEMPTS) {
				throw error;
			}
		}
	}
}

function isInUse(error: unknown): boolean {
	return error instanceof Error && "code" in error && error.code === "EADDRINUSE";
}

function listenOnce(port: number, host: string): Promise<void> {
	return new Promise((resolve, reject) => {
		const server = createServer();
		server.once("error", reject);
		server.listen(port, host, () => server.close(() => resolve()));
	});
}
