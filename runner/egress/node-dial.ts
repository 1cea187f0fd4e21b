import { lookup as dnsLookup } from "node:dns";
import { connect as connectTcp, isIP, isIPv6, type LookupFunction, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { expectAllowed } from "../../egress/allowed-address.ts";
import type { Dial } from "../../egress/destination-line.ts";
import { DestinationForbiddenError } from "../../egress/line-failure.ts";
import { isPrivateHost } from "../../egress/private-address.ts";
import { socketTransport } from "../socket-transport.ts";

/** Looks a name up, as Node's `dns.lookup` does. */
type Resolve = typeof dnsLookup;

export interface NodeDialOptions {
	/** Private and loopback addresses are destinations like any other. */
	readonly allowPrivate: boolean;
	/** Default: the system's resolver. */
	readonly resolve?: Resolve;
}

/**
 * Dials TCP, or TLS for rtmps, with Node's sockets. The address is checked, and so is every address that its name resolves to: a runner may
 * stand in a network whose insides are nobody's destination.
 */
export function nodeDial(options: NodeDialOptions): Dial {
	const { resolve = dnsLookup } = options;
	return async (url, signal) => {
		expectAllowed(url, options);
		signal.throwIfAborted();
		const { host, port, secure } = url;
		const address = { host, port, lookup: options.allowPrivate ? resolve : publicOnly(resolve) };
		const socket = secure
			? connectTls({ ...address, ...(isIP(host) === 0 && { servername: host }) })
			: connectTcp(address);
		socket.setNoDelay(true);
		await connected(socket, secure ? "secureConnect" : "connect", signal);
		return socketTransport(socket);
	};
}

async function connected(socket: Socket, event: "connect" | "secureConnect", signal: AbortSignal): Promise<void> {
	const { promise, resolve, reject } = Promise.withResolvers<void>();
	const abort = () => reject(signal.reason);
	signal.addEventListener("abort", abort, { once: true });
	socket.once(event, resolve);
	socket.once("error", reject);
	try {
		await promise;
	} catch (error) {
		// What it says while it is torn down was said already.
		socket.on("error", () => {});
		socket.destroy();
		throw error;
	} finally {
		signal.removeEventListener("abort", abort);
		socket.off("error", reject);
	}
}

/** Only the addresses that the public internet reaches; where there is none, that is a refusal. */
function publicOnly(resolve: Resolve): LookupFunction {
	return (hostname, options, callback) => {
		resolve(hostname, { ...options, all: true }, (error, addresses) => {
			if (error !== null) {
				callback(error, "");
				return;
			}
			const allowed = addresses.filter(({ address }) => !isPrivateAddress(address));
			const [first] = allowed;
			if (first === undefined) {
				const reason = `destination: expected ${hostname} to be public, got a private address`;
				callback(new DestinationForbiddenError(reason), "");
			} else if (options.all === true) {
				callback(null, allowed);
			} else {
				callback(null, first.address, first.family);
			}
		});
	};
}

function isPrivateAddress(address: string): boolean {
	const url = URL.parse(`http://${isIPv6(address) ? `[${address}]` : address}/`);
	return url === null || isPrivateHost(url.hostname);
}
