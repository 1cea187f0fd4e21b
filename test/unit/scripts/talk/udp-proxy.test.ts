import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { UdpProxy } from "../../../../scripts/talk/udp-proxy.ts";
import { waitFor } from "../../../../scripts/wait-for.ts";

const WITHIN_MS = 10_000;
const HOST = "127.0.0.1";

/** One peer: what it got, and from which port. */
class Peer {
	readonly socket: Socket;
	readonly got: { readonly text: string; readonly port: number }[] = [];

	constructor(socket: Socket) {
		this.socket = socket;
		socket.on("message", (message, { port }) => this.got.push({ text: String(message), port }));
	}

	get port(): number {
		return this.socket.address().port;
	}

	send(text: string, port: number): void {
		this.socket.send(text, port, HOST);
	}

	/** The port that this text came from. */
	async hears(text: string): Promise<number> {
		return waitFor(`"${text}"`, WITHIN_MS, async () => this.got.find((each) => each.text === text)?.port);
	}
}

let undo: AsyncDisposableStack;
let proxy: UdpProxy;

beforeEach(() => {
	undo = new AsyncDisposableStack();
	proxy = undo.use(new UdpProxy(1));
});

afterEach(() => undo.disposeAsync());

async function peer(): Promise<Peer> {
	const socket = createSocket("udp4");
	socket.bind(0, HOST);
	await once(socket, "listening");
	undo.defer(() => void socket.close());
	return new Peer(socket);
}

describe("a port of the proxy", () => {
	it("stands for one address, and is the same each time it is asked for", async () => {
		const far = await peer();
		const port = await proxy.portFor(HOST, far.port);
		expect(port).not.toBe(far.port);
		expect(await proxy.portFor(HOST, far.port)).toBe(port);
	});

	it("takes packets there and answers back, to each of those who send by a port of their own", async () => {
		const far = await peer();
		const [ada, bob] = [await peer(), await peer()];
		const port = await proxy.portFor(HOST, far.port);
		ada.send("of Ada", port);
		bob.send("of Bob", port);
		const [portOfAda, portOfBob] = [await far.hears("of Ada"), await far.hears("of Bob")];
		expect(new Set([portOfAda, portOfBob, ada.port, bob.port, port]).size).toBe(5);
		far.send("to Bob", portOfBob);
		far.send("to Ada", portOfAda);
		expect(await bob.hears("to Bob")).toBe(port);
		expect(await ada.hears("to Ada")).toBe(port);
		expect(ada.got.map(({ text }) => text)).toEqual(["to Ada"]);
	});

	it("goes on from another port after a change of address, and the old one leads nowhere", async () => {
		const [near, far] = [await peer(), await peer()];
		const port = await proxy.portFor(HOST, far.port);
		near.send("before", port);
		const before = await far.hears("before");
		await proxy.changeAddress();
		near.send("after", port);
		const after = await far.hears("after");
		expect(after).not.toBe(before);
		far.send("to the old", before);
		far.send("to the new", after);
		expect(await near.hears("to the new")).toBe(port);
		expect(near.got.map(({ text }) => text)).toEqual(["to the new"]);
	});

	it("lets nothing pass while it is a hole, either way, also where it was opened meanwhile", async () => {
		const [near, far, other] = [await peer(), await peer(), await peer()];
		const port = await proxy.portFor(HOST, far.port);
		near.send("before", port);
		const back = await far.hears("before");
		proxy.set({ blackhole: true });
		const otherPort = await proxy.portFor(HOST, other.port);
		near.send("lost", port);
		near.send("lost", otherPort);
		far.send("lost", back);
		await waitFor("three to be lost", WITHIN_MS, async () => proxy.counts.lost === 3 || undefined);
		proxy.set({});
		near.send("there", port);
		near.send("there", otherPort);
		far.send("back", back);
		await Promise.all([far.hears("there"), other.hears("there"), near.hears("back")]);
		expect([...far.got, ...other.got, ...near.got].map(({ text }) => text)).not.toContain("lost");
	});

	it("delays and puts out of order what it delivers", async () => {
		const [near, far] = [await peer(), await peer()];
		const port = await proxy.portFor(HOST, far.port);
		near.send("first", port);
		await far.hears("first");
		proxy.set({ delayMs: 20, jitterMs: 60 });
		const sent = [...Array(40).keys()].map(String);
		const sentAtMs = performance.now();
		for (const text of sent) {
			near.send(text, port);
		}
		await waitFor("all of them", WITHIN_MS, async () => far.got.length > sent.length || undefined);
		expect(performance.now() - sentAtMs).toBeGreaterThan(20);
		const arrived = far.got.slice(1).map(({ text }) => text);
		expect(arrived).not.toEqual(sent);
		expect(arrived.toSorted()).toEqual(sent.toSorted());
	});
});
