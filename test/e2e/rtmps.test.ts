import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:tls";
import { afterAll, beforeAll, expect, it } from "vitest";
import { tagKind } from "../../media/flv/tag-kind.ts";
import { RtmpAcceptor } from "../../rtmp/acceptor.ts";
import { socketTransport } from "../../runner/socket-transport.ts";
import { waitFor } from "../../scripts/wait-for.ts";
import { mustRun } from "../support/peers/run-tool.ts";
import { TempFolder } from "../support/peers/temp-folder.ts";
import { type SystemUnderTest, startSystem } from "../support/system/broadcast.ts";

/** Destinations over TLS, from workerd to a server whose certificate is trusted, and to one whose is not. */

const STATE_WITHIN_MS = 60_000;

const undo = new AsyncDisposableStack();
const folder = undo.use(new TempFolder());
let tandem: SystemUnderTest;

interface TlsDestination {
	readonly url: string;
	/** What came over any connection, as tag kinds. */
	readonly kinds: string[];
	readonly keys: string[];
}

async function makeCertificate(name: string): Promise<{ cert: string; key: string }> {
	const files = { cert: folder.file(`${name}.crt`), key: folder.file(`${name}.key`) };
	await mustRun("openssl", [
		...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"],
		...["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", files.key, "-out", files.cert],
	]);
	return files;
}

async function listenTls(files: { cert: string; key: string }): Promise<TlsDestination> {
	const destination = { url: "", kinds: [] as string[], keys: [] as string[] };
	const server = createServer({ cert: readFileSync(files.cert), key: readFileSync(files.key) }, (socket) => {
		undo.defer(() => {
			socket.destroy();
		});
		const acceptor = new RtmpAcceptor(socketTransport(socket), {
			onPublish: async ({ streamKey }) => {
				destination.keys.push(streamKey);
				return { onTag: (tag) => void destination.kinds.push(tagKind(tag)), onEnd: () => {} };
			},
		});
		void acceptor.run();
	});
	// A client that does not trust the certificate breaks the handshake off: that is what the test is about.
	server.on("tlsClientError", () => {});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	undo.defer(() => void server.close());
	const address = server.address();
	if (address === null || typeof address === "string") {
		throw new Error(`expected a port, got ${address}`);
	}
	return Object.assign(destination, { url: `rtmps://localhost:${address.port}/live` });
}

let trusted: TlsDestination;
let untrusted: TlsDestination;
const trustBefore = process.env.NODE_EXTRA_CA_CERTS;

beforeAll(async () => {
	const known = await makeCertificate("known");
	trusted = await listenTls(known);
	untrusted = await listenTls(await makeCertificate("unknown"));
	// The Worker's process reads this when it starts, and makes workerd trust what it names.
	process.env.NODE_EXTRA_CA_CERTS = known.cert;
	tandem = undo.use(await startSystem(folder.file("system")));
});

afterAll(async () => {
	if (trustBefore === undefined) {
		delete process.env.NODE_EXTRA_CA_CERTS;
	} else {
		process.env.NODE_EXTRA_CA_CERTS = trustBefore;
	}
	await undo.disposeAsync();
});

it("publishes over TLS to a server it trusts, and never to one it does not", async () => {
	const broadcast = await tandem.goLive({
		title: "Over TLS",
		width: 640,
		height: 360,
		destinations: [
			{ url: trusted.url, streamKey: "a-key?with=query" },
			{ url: untrusted.url, streamKey: "never-sent" },
		],
	});
	const stats = await waitFor("one destination live and the other retrying", STATE_WITHIN_MS, async () => {
		const now = await broadcast.stats();
		return now.destinations[0]?.state === "live" && now.destinations[1]?.state === "retrying" ? now : undefined;
	});
	await waitFor("pictures and sound over TLS", STATE_WITHIN_MS, () =>
		trusted.kinds.includes("video-inter") && trusted.kinds.includes("audio") ? true : undefined,
	);
	await broadcast.end();

	expect(trusted.keys).toEqual(["a-key?with=query"]);
	expect(
		trusted.kinds
			.filter((kind) => kind !== "script")
			.slice(0, 2)
			.sort(),
	).toEqual(["audio-config", "video-config"]);
	expect(untrusted.keys).toEqual([]);
	expect(stats.destinations[1]?.egress?.lastError).toContain("cannot connect");
	expect(JSON.stringify(stats)).not.toContain("never-sent");
});
