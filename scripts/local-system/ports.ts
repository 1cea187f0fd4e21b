import { createServer } from "node:net";

/**
 * A port that can be listened on: `port` itself, or any free one for 0.
 * @throws Error saying which port is taken and which option chooses another
 */
export async function usablePort(port: number, host: string, option: string): Promise<number> {
	try {
		return await listenOnce(port, host);
	} catch (error) {
		const reason = error instanceof Error && "code" in error ? error.code : error;
		const what = reason === "EADDRINUSE" ? "one that is in use" : `${String(reason)}`;
		throw new Error(`start: expected port ${port} on ${host} to be free, got ${what}; choose another with ${option}`, {
			cause: error,
		});
	}
}

function listenOnce(port: number, host: string): Promise<number> {
	return new Promise((resolve, reject) => {
		const server = createServer();
		server.once("error", reject);
		server.listen(port, host, () => {
			const address = server.address();
			const got = typeof address === "object" && address !== null ? address.port : port;
			server.close(() => resolve(got));
		});
	});
}
