import { lookup as dnsLookup } from "node:dns";
import { connect as connectTcp, isIP, isIPv6, type LookupFunction, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { expectAllowed } from "../../egress/allowed-address.ts";
import type { Dial } from "../../egress/destination-line.ts";
import { DestinationForbiddenError } from "../../egress/line-failure.ts";
import { isPrivateHost } from "../../egress/private-address.ts";
import { socketTransport } from "../socket-transport.ts";

/**
 * Dials TCP, or TLS for rtmps, with Node's sockets. The address is checked, and so is every address that its name resolves to: a runner may
 * stand in a network whose insides are nobody's destination.
 */
export function nodeDial(options: { readonly allowPrivate: boolean }): Dial {
	return async (url, signal) => {
		expectAllowed(url, options);
		signal.throwIfAborted();
		const { host, port, secure } = url;
		const address = { host, port, lookup: options.allowPrivate ? dnsLookup : publicLookup };
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

/** Only the addresses that the public internet reaches; none of them is a refusal. */
const publicLookup: LookupFunction = (hostname, options, callback) => {
	dnsLookup(hostname, { ...options, all: true }, (error, addresses) => {
		if (error !== null) {
			callback(error, "");
			return;
		}
		const allowed = addresses.filter(({ address }) => !isPrivateAddress(address));
		const [first] = allowed;
		if (first === undefined) {
			callback(
				new DestinationForbiddenError(`destination: expected ${hostname} to be public, got a private address`),
				"",
			);
		} else if (options.all === true) {
			callback(null, allowed);
		} else {
			callback(null, first.address, first.family);
		}
	});
};

function isPrivateAddress(address: string): boolean {
	const url = URL.parse(`http://${isIPv6(address) ? `[${address}]` : address}/`);
	return url === null || isPrivateHost(url.hostname);
}
