import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** How a line misbehaves. */
export type LineFault =
	| { readonly kind: "none" }
	/** What is sent arrives this much later, in order. */
	| { readonly kind: "delay"; readonly ms: number }
	/** Nothing arrives, and nobody is told: as a cable pulled out. What was sent meanwhile comes when it is plugged in again, as TCP sends it anew. */
	| { readonly kind: "blackhole" };

/** A TCP line between two parties, which can be made to misbehave. Listens on a port of its own on loopback, and connects to one. */
export class FaultProxy implements AsyncDisposable {
	readonly #targetPort: number;
	readonly #server: Server;
	readonly #lines = new Set<ProxiedLine>();
	#fault: LineFault = { kind: "none" };

	private constructor(targetPort: number) {
		this.#targetPort = targetPort;
		this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => this.#accept(socket));
	}

	static async to(targetPort: number): Promise<FaultProxy> {
		const proxy = new FaultProxy(targetPort);
		proxy.#server.listen(0, "127.0.0.1");
		await once(proxy.#server, "listening");
		return proxy;
	}

	get port(): number {
		const address = this.#server.address();
		if (address === null || typeof address === "string") {
			throw new Error(`proxy: expected a port, got ${address}`);
		}
		return address.port;
	}

	/** Lines that are up. */
	get lines(): number {
		return this.#lines.size;
	}

	/** From now on, for lines there are and new ones. */
	set(fault: LineFault): void {
		this.#fault = fault;
		for (const line of this.#lines) {
			line.set(fault);
		}
	}

	/** Breaks every line at both ends with a reset. New ones are taken. */
	cut(): void {
		for (const line of this.#lines) {
			line.cut();
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.cut();
		if (this.#server.listening) {
			this.#server.close();
			await once(this.#server, "close");
		}
	}

	#accept(near: Socket): void {
		const far = connect({ port: this.#targetPort, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
		const line: ProxiedLine = new ProxiedLine(near, far, this.#fault, () => this.#lines.delete(line));
		this.#lines.add(line);
	}
}

class ProxiedLine {
	readonly #ways: readonly OneWay[];
	readonly #onEnd: () => void;

	constructor(near: Socket, far: Socket, fault: LineFault, onEnd: () => void) {
		this.#ways = [new OneWay(near, far, fault), new OneWay(far, near, fault)];
		this.#onEnd = onEnd;
		for (const socket of [near, far]) {
			socket.on("error", () => this.cut());
			socket.on("close", () => this.#closeIfBothEnded(near, far));
		}
	}

	set(fault: LineFault): void {
		for (const way of this.#ways) {
			way.set(fault);
		}
	}

	cut(): void {
		for (const way of this.#ways) {
			way.destroy();
		}
		this.#onEnd();
	}

	#closeIfBothEnded(near: Socket, far: Socket): void {
		if (near.closed && far.closed) {
			this.cut();
		}
	}
}

/** One direction of a line. */
class OneWay {
	readonly #from: Socket;
	readonly #to: Socket;
	#fault: LineFault;
	/** Sent and not yet passed on; `undefined` is the end. */
	#under: { readonly bytes: Uint8Array | undefined; readonly sentAtMs: number }[] = [];
	#timer: ReturnType<typeof setTimeout> | undefined;

	constructor(from: Socket, to: Socket, fault: LineFault) {
		this.#from = from;
		this.#to = to;
		this.#fault = fault;
		from.on("data", (bytes: Uint8Array) => this.#take(bytes));
		from.on("end", () => this.#take(undefined));
		to.on("drain", () => this.#pass());
		this.#flowOrStop();
	}

	set(fault: LineFault): void {
		this.#fault = fault;
		this.#flowOrStop();
		this.#pass();
	}

	destroy(): void {
		clearTimeout(this.#timer);
		this.#under = [];
		this.#from.resetAndDestroy();
	}

	#take(bytes: Uint8Array | undefined): void {
		this.#under.push({ bytes, sentAtMs: performance.now() });
		this.#pass();
	}

	/** A blackhole fills the sender's buffers as a real one does, so it must not be read. */
	#flowOrStop(): void {
		if (this.#fault.kind === "blackhole") {
			this.#from.pause();
		} else if (!this.#to.writableNeedDrain) {
			this.#from.resume();
		}
	}

	#pass(): void {
		clearTimeout(this.#timer);
		if (this.#fault.kind === "blackhole") {
			return;
		}
		const delayMs = this.#fault.kind === "delay" ? this.#fault.ms : 0;
		for (let next = this.#under[0]; next !== undefined; next = this.#under[0]) {
			const waitMs = next.sentAtMs + delayMs - performance.now();
			if (waitMs > 0) {
				this.#timer = setTimeout(() => this.#pass(), Math.ceil(waitMs));
				break;
			}
			this.#under.shift();
			if (next.bytes === undefined) {
				this.#to.end();
			} else if (!this.#to.write(next.bytes) && this.#fault.kind === "none") {
				this.#from.pause();
				return;
			}
		}
		this.#from.resume();
	}
}
