import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Addresses that are nobody's on the Internet (RFC 2544): ours, the guest's, and the one they have after a move. */
const OURS = "198.18.77.1";
const THEIRS = ["198.18.77.2", "198.18.77.3"] as const;
const PREFIX = 24;

export interface NetemWeather {
	readonly lossPercent: number;
	readonly jitterMs: number;
}

/** A network of the guest's own, as a namespace of the kernel: their browser has one interface, whose address can change under it. */
export class GuestNetwork implements AsyncDisposable {
	readonly #name: string;
	readonly #folder: string;
	readonly #forwarders: Server[] = [];
	readonly #sockets = new Set<Socket>();
	#address = 0;

	private constructor(name: string, folder: string) {
		this.#name = name;
		this.#folder = folder;
	}

	/** @returns in words, why there can be none here; with weather, why that cannot be made */
	static async refusal(weather?: NetemWeather): Promise<string | undefined> {
		try {
			await using network = await GuestNetwork.make();
			if (weather !== undefined) {
				await network.setWeather(weather);
			}
			return undefined;
		} catch (error) {
			return error instanceof Error ? error.message.trim().replaceAll("\n", " ") : String(error);
		}
	}

	static async make(): Promise<GuestNetwork> {
		const name = `talk${process.pid}`;
		const network = new GuestNetwork(name, mkdtempSync(join(tmpdir(), "tandem-network-")));
		try {
			await run("ip", ["netns", "add", name]);
			await run("ip", ["link", "add", name, "type", "veth", "peer", "name", "out", "netns", name]);
			await run("ip", ["address", "add", `${OURS}/${PREFIX}`, "dev", name]);
			await run("ip", ["link", "set", name, "up"]);
			await network.#inside("link", "set", "lo", "up");
			await network.#inside("link", "set", "out", "up");
			await network.#takeAddress();
			return network;
		} catch (error) {
			await network[Symbol.asyncDispose]();
			throw error;
		}
	}

	/** A program that runs another one inside. */
	runner(program: string): string {
		const path = join(this.#folder, "inside.sh");
		writeFileSync(path, `#!/bin/sh\nexec ip netns exec ${this.#name} ${program} "$@"\n`, { mode: 0o755 });
		return path;
	}

	/** The link as it works from inside: what listens on loopback only is forwarded. */
	async linkFromInside(link: string): Promise<string> {
		const url = new URL(link);
		const { hostname, port } = url;
		const forwarder = createServer((near) => {
			const far = connect(Number(port), hostname);
			near.pipe(far).pipe(near);
			for (const [one, other] of [
				[near, far],
				[far, near],
			] as const) {
				this.#sockets.add(one);
				one.on("error", () => other.destroy());
				one.on("close", () => this.#sockets.delete(one));
			}
		});
		forwarder.listen(Number(port), OURS);
		await once(forwarder, "listening");
		this.#forwarders.push(forwarder);
		url.hostname = OURS;
		return url.href;
	}

	/** Their address is another one from now on: what they have open is cut off without a word. */
	async move(): Promise<void> {
		await this.#inside("address", "flush", "dev", "out", "scope", "global");
		this.#address = 1 - this.#address;
		await this.#takeAddress();
	}

	/** Of all that goes in and out, by the kernel (tc-netem(8)). */
	async setWeather({ lossPercent, jitterMs }: NetemWeather): Promise<void> {
		// Spread evenly around half the jitter: between none and all of it.
		const half = `${jitterMs / 2}ms`;
		const netem = ["root", "netem", "delay", half, half, "loss", `${lossPercent}%`];
		await run("tc", ["qdisc", "replace", "dev", this.#name, ...netem]);
		await run("tc", ["-n", this.#name, "qdisc", "replace", "dev", "out", ...netem]);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		for (const forwarder of this.#forwarders) {
			forwarder.close();
		}
		// Whoever has moved closes nothing by the old address.
		for (const socket of this.#sockets) {
			socket.destroy();
		}
		// With its namespace the pair of interfaces is gone; what was not made cannot be removed.
		await run("ip", ["netns", "delete", this.#name]).catch(() => undefined);
		rmSync(this.#folder, { recursive: true, force: true });
	}

	async #takeAddress(): Promise<void> {
		await this.#inside("address", "add", `${THEIRS[this.#address]}/${PREFIX}`, "dev", "out");
		await this.#inside("route", "replace", "default", "via", OURS);
	}

	#inside(...args: string[]) {
		return run("ip", ["-n", this.#name, ...args]);
	}
}
