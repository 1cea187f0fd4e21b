import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** Answers like the compositor page; the broadcast's id says how it is to go wrong. */
const PAGE = `<!doctype html><title>fake compositor</title><script>
let status = { state: "idle", programFrames: 0 };
globalThis.tandemStatus = () => status;
globalThis.tandemStart = (assignment) => {
	console.error("started with token " + assignment.token);
	if (assignment.broadcastId === "hangs") for (;;);
	if (assignment.broadcastId === "fails") { status = { state: "failed", programFrames: 0, reason: "no encoder" }; return; }
	status = { state: "running", programFrames: 1 };
	setInterval(() => { status = { ...status, programFrames: status.programFrames + 1 }; }, 20);
};
</script>`;

export interface FakePageServer {
	readonly pageUrl: string;
	readonly requests: () => number;
	close(): Promise<void>;
}

export async function startFakePageServer(): Promise<FakePageServer> {
	let requests = 0;
	const server: Server = createServer((request, response) => {
		requests += 1;
		const found = request.url === "/compositor/";
		response.writeHead(found ? 200 : 404, { "content-type": "text/html" }).end(found ? PAGE : "");
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const { port } = server.address() as AddressInfo;
	return {
		pageUrl: `http://127.0.0.1:${port}/compositor/`,
		requests: () => requests,
		close: () => {
			server.closeAllConnections();
			return new Promise((resolve) => server.close(() => resolve()));
		},
	};
}
