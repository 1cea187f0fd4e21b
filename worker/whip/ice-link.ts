import type { IceServer } from "../protocol/signaling.ts";

/** The values of `Link` headers that tell a WHIP client its ICE servers (RFC 9725 §4.6). */
export function iceLinks(servers: readonly IceServer[]): string[] {
	return servers.filter(isTellable).flatMap(({ urls, username, credential }) =>
		urls.map((url) => {
			const parts = [`<${url}>`, 'rel="ice-server"'];
			if (username !== undefined && credential !== undefined) {
				parts.push(
					`username="${escaped(username)}"`,
					`credential="${escaped(credential)}"`,
					'credential-type="password"',
				);
			}
			return parts.join("; ");
		}),
	);
}

/** A header holds printable ASCII (RFC 9110 §5.5), and an address in it no `>`: a server that is called otherwise is for browsers only. */
function isTellable({ urls, username = "", credential = "" }: IceServer): boolean {
	return urls.every((url) => /^[!-;=?-~]+$/.test(url)) && /^[ -~]*$/.test(username + credential);
}

/** A quoted string (RFC 9110 §5.6.4). */
function escaped(text: string): string {
	return text.replaceAll(/["\\]/g, "\\$&");
}
