import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { extname, join, normalize } from "node:path";

const CONTENT_TYPES: Record<string, string> = {
	".html": "text/html; charset=utf-8",
	".js": "text/javascript; charset=utf-8",
	".wasm": "application/wasm",
	".json": "application/json",
};
const BLANK_PAGE = `<!doctype html><html lang="en"><meta charset="utf-8"><title>test</title><body></body></html>`;

export interface FileServer {
	/** Such as `http://127.0.0.1:40001`; loopback counts as a secure context, which WebCodecs wants. */
	readonly origin: string;
	close(): Promise<void>;
}

/** Serves the files below `directory` on loopback, and an empty page at `/`. */
export async function serveFiles(directory: string): Promise<FileServer> {
	const server = createServer(async (request, response) => {
		const { pathname } = new URL(request.url ?? "/", "http://localhost");
		if (pathname === "/") {
			response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(BLANK_PAGE);
			return;
		}
		const path = join(directory, normalize(decodeURIComponent(pathname)));
		try {
			const bytes = await readFile(path);
			response
				.writeHead(200, { "content-type": CONTENT_TYPES[extname(path)] ?? "application/octet-stream" })
				.end(bytes);
		} catch {
			response.writeHead(404).end();
		}
	});
	const port = await listen(server);
	return {
		origin: `http://127.0.0.1:${port}`,
		close: () =>
			new Promise((resolve) => {
				server.close(() => resolve());
				server.closeAllConnections();
			}),
	};
}

function listen(server: Server): Promise<number> {
	return new Promise((resolve, reject) => {
		server.once("error", reject);
		server.listen(0, "127.0.0.1", () => {
			const address = server.address();
			if (address === null || typeof address === "string") {
				reject(new Error(`file server: expected a TCP address, got ${address}`));
				return;
			}
			resolve(address.port);
		});
	});
}
