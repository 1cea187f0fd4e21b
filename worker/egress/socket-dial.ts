import { connect } from "cloudflare:sockets";
import { expectAllowed } from "../../egress/allowed-address.ts";
import type { Dial } from "../../egress/destination-line.ts";
import type { ByteTransport } from "../../rtmp/transport.ts";
import type { RtmpUrl } from "../../rtmp/url.ts";

/**
 * Dials TCP, or TLS for rtmps, with workerd's sockets. The address is checked again here, since a redirect can name any; one that is not
 * allowed is a refusal.
 */
export function socketDial(options: { readonly allowPrivate: boolean }): Dial {
	return async (url, signal) => {
		expectAllowed(url, options);
		const socket = connect(
			{ hostname: bracketed(url), port: url.port },
			{ secureTransport: url.secure ? "on" : "off", allowHalfOpen: false },
		);
		const transport = asTransport(socket);
		const aborted = Promise.withResolvers<never>();
		const abort = () => {
			transport.close();
			aborted.reject(signal.reason);
		};
		signal.addEventListener("abort", abort, { once: true });
		try {
			await Promise.race([socket.opened, aborted.promise]);
			return transport;
		} catch (error) {
			transport.close();
			throw error;
		} finally {
			signal.removeEventListener("abort", abort);
		}
	};
}

function bracketed(url: RtmpUrl): string {
	return url.host.includes(":") ? `[${url.host}]` : url.host;
}

function asTransport(socket: Socket): ByteTransport {
	// A line that broke says so on every one of its promises; the streams' users hear it, and these would be unhandled.
	const heard = () => {};
	socket.opened.catch(heard);
	socket.closed.catch(heard);
	return {
		readable: socket.readable,
		writable: socket.writable,
		close() {
			socket.close().catch(heard);
		},
	};
}
