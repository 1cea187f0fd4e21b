import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { waitFor } from "../../../../scripts/wait-for.ts";
import { FaultProxy } from "../../../support/faults/fault-proxy.ts";

const WITHIN_MS = 10_000;
/** For what must not happen: the loopback takes a thousandth of it. */
const NOTHING_FOR_MS = 150;

let undo: AsyncDisposableStack;
let proxy: FaultProxy;
let client: Socket;
let server: Socket;
let received: string;

beforeEach(async () => {
	undo = new AsyncDisposableStack();
	const listener = createServer({ allowHalfOpen: true });
	undo.defer(() => void listener.close());
	listener.listen(0, "127.0.0.1");
	await once(listener, "listening");
	const address = listener.address();
	proxy = undo.use(await FaultProxy.to(typeof address === "object" && address !== null ? address.port : 0));
	const accepted = once(listener, "connection");
	client = connect(proxy.port, "127.0.0.1");
	client.on("error", () => {});
	[server] = await accepted;
	server.on("error", () => {});
	received = "";
	server.on("data", (data) => {
		received += data.toString();
	});
	undo.defer(() => void client.destroy());
	undo.defer(() => void server.destroy());
});

afterEach(() => undo.disposeAsync());

function untilReceived(text: string): Promise<true> {
	return waitFor(`“${text}”`, WITHIN_MS, () => received === text || undefined);
}

/** Unlike `once` it takes an error for a close. */
function closeOf(socket: Socket): Promise<void> {
	return new Promise((resolve) => socket.once("close", () => resolve()));
}

describe("a line that can misbehave", () => {
	it("passes on what is sent, both ways, and the end", async () => {
		client.write("to ");
		client.end("server");
		await untilReceived("to server");
		const back = once(client, "data");
		server.end("to client");
		expect(String((await back)[0])).toBe("to client");
		await once(client, "close");
		await waitFor("no line", WITHIN_MS, () => proxy.lines === 0 || undefined);
	});

	it("delays, keeps the order, and passes all on at once when told to stop", async () => {
		proxy.set({ kind: "delay", ms: 200 });
		const sentAtMs = performance.now();
		client.write("a");
		await untilReceived("a");
		expect(performance.now() - sentAtMs).toBeGreaterThanOrEqual(195);
		proxy.set({ kind: "delay", ms: 60_000 });
		client.write("b");
		await new Promise((resolve) => setTimeout(resolve, NOTHING_FOR_MS));
		expect(received).toBe("a");
		proxy.set({ kind: "none" });
		client.write("c");
		await untilReceived("abc");
	});

	it("swallows all while it is a blackhole, fills the sender's buffers, and loses nothing", async () => {
		proxy.set({ kind: "blackhole" });
		const much = "x".repeat(16 * 1024 * 1024);
		client.write(much);
		await new Promise((resolve) => setTimeout(resolve, NOTHING_FOR_MS));
		expect(received).toBe("");
		expect(client.writableLength).toBeGreaterThan(0);
		proxy.set({ kind: "none" });
		await waitFor("all of it", WITHIN_MS, () => received.length === much.length || undefined);
	});

	it("is cut at both ends, and takes new lines", async () => {
		const closed = Promise.all([closeOf(client), closeOf(server)]);
		proxy.cut();
		await closed;
		const again = connect(proxy.port, "127.0.0.1");
		undo.defer(() => void again.destroy());
		await once(again, "connect");
		await waitFor("a line", WITHIN_MS, () => proxy.lines === 1 || undefined);
	});
});
