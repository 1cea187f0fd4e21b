import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { FAIR, seededRandom, UdpLine, type UdpWeather } from "./udp-line.ts";

const HOST = "127.0.0.1";

/** What became of packets, both ways. */
interface PacketCounts {
	carried: number;
	lost: number;
}

interface LineParts {
	readonly random: () => number;
	readonly counts: PacketCounts;
}

/** One peer as the other sees it through the proxy: its packets go on from a port of their own. */
interface Flow {
	readonly near: RemoteInfo;
	far: Socket;
}

/** A port that stands for somebody's: what comes there goes on to them, and what they answer comes back, as the weather lets it. */
class ProxiedPort {
	readonly #socket: Socket;
	readonly #target: { readonly address: string; readonly port: number };
	readonly #flows = new Map<string, Flow>();
	readonly #making = new Map<string, Promise<Flow>>();
	readonly #out: UdpLine;
	readonly #back: UdpLine;
	readonly #counts: PacketCounts;

	constructor(socket: Socket, target: { readonly address: string; readonly port: number }, parts: LineParts) {
		const { random, counts } = parts;
		this.#socket = socket;
		this.#target = target;
		this.#counts = counts;
		this.#out = new UdpLine(random);
		this.#back = new UdpLine(random);
		socket.on("message", (message, from) => this.#send(message, from));
	}

	set(weather: UdpWeather): void {
		this.#out.set(weather);
		this.#back.set(weather);
	}

	/** Everybody goes on from another port, as after a change of network. */
	async changeAddress(): Promise<void> {
		for (const flow of this.#flows.values()) {
			const old = flow.far;
			flow.far = await this.#newFar(flow.near);
			old.close();
		}
	}

	close(): void {
		this.#socket.close();
		for (const { far } of this.#flows.values()) {
			far.close();
		}
	}

	#send(message: Buffer, from: RemoteInfo): void {
		this.#pass(this.#out, message, () => {
			this.#flowOf(from)
				.then(({ far }) => far.send(message, this.#target.port, this.#target.address))
				.catch(() => undefined);
		});
	}

	#pass(line: UdpLine, message: Buffer, deliver: () => void): void {
		const delayMs = line.delayOf(message.byteLength, performance.now());
		if (delayMs === undefined) {
			this.#counts.lost += 1;
			return;
		}
		this.#counts.carried += 1;
		later(delayMs, deliver);
	}

	#flowOf(near: RemoteInfo): Promise<Flow> {
		const key = `${near.address}:${near.port}`;
		const known = this.#flows.get(key);
		if (known !== undefined) {
			return Promise.resolve(known);
		}
		const making =
			this.#making.get(key) ??
			this.#newFar(near).then((far) => {
				const flow = { near, far };
				this.#flows.set(key, flow);
				return flow;
			});
		this.#making.set(key, making);
		return making;
	}

	async #newFar(near: RemoteInfo): Promise<Socket> {
		const far = createSocket("udp4");
		far.on("error", () => undefined);
		far.on("message", (message) => {
			this.#pass(this.#back, message, () => sendFrom(this.#socket, message, near));
		});
		far.bind(0);
		await once(far, "listening");
		return far;
	}
}

/** A UDP network of its own between WebRTC peers: each candidate that one is told of is a port here, behind which is the other. */
export class UdpProxy implements AsyncDisposable {
	readonly #ports = new Map<string, Promise<{ readonly proxied: ProxiedPort; readonly port: number }>>();
	readonly #random: () => number;
	readonly #counts: PacketCounts = { carried: 0, lost: 0 };
	#weather: UdpWeather = FAIR;

	constructor(seed = 1) {
		this.#random = seededRandom(seed);
	}

	/** Of all packets that came here: where there are none, the peers have found another way. */
	get counts(): Readonly<PacketCounts> {
		return { ...this.#counts };
	}

	/** The port on loopback that stands for that address. */
	async portFor(address: string, port: number): Promise<number> {
		const key = `${address}:${port}`;
		const known = this.#ports.get(key) ?? this.#open(address, port);
		this.#ports.set(key, known);
		return (await known).port;
	}

	set(weather: Partial<UdpWeather>): void {
		this.#weather = { ...FAIR, ...weather };
		for (const each of this.#ports.values()) {
			void each.then(({ proxied }) => proxied.set(this.#weather));
		}
	}

	async changeAddress(): Promise<void> {
		for (const each of this.#ports.values()) {
			await (await each).proxied.changeAddress();
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		for (const each of this.#ports.values()) {
			(await each).proxied.close();
		}
		this.#ports.clear();
	}

	async #open(address: string, port: number) {
		const socket = createSocket("udp4");
		socket.on("error", () => undefined);
		socket.bind(0, HOST);
		await once(socket, "listening");
		const proxied = new ProxiedPort(socket, { address, port }, { random: this.#random, counts: this.#counts });
		proxied.set(this.#weather);
		return { proxied, port: socket.address().port };
	}
}

function later(delayMs: number, action: () => void): void {
	if (delayMs < 1) {
		action();
	} else {
		setTimeout(action, delayMs);
	}
}

/** The proxy may have been closed while the packet was on its way. */
function sendFrom(socket: Socket, message: Buffer, to: RemoteInfo): void {
	try {
		socket.send(message, to.port, to.address);
	} catch {
		// It was.
	}
}
