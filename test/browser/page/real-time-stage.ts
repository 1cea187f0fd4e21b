import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "puppeteer-core";
import type { FlvTag } from "../../../media/flv/tag.ts";
import { tagKind } from "../../../media/flv/tag-kind.ts";
import { flvHeader, flvTagBytes, isFlvHeader, readSingleTag } from "../../../media/flv/tag-writer.ts";
import { waitFor } from "../../../scripts/wait-for.ts";
import type { CompositorStats } from "../../../worker/protocol/compositor-stats.ts";
import {
	CONTROL_PONG_TEXT,
	type ControlRequest,
	controlRequestSchema,
	type Scene,
} from "../../../worker/protocol/control-messages.ts";
import { MAIN_COMPOSITE_STREAM } from "../../../worker/protocol/roles.ts";
import type { CallPeer, Signal } from "../../../worker/protocol/signaling.ts";
import { bundleForBrowser } from "../../support/browser/bundle.ts";
import { fromWire, toWire } from "../../support/browser/wire.ts";
import { readFrameCode } from "../../support/faults/frame-code.ts";
import { rawPictures } from "../../support/program/raw-pictures.ts";
import type { BuiltPage } from "./built-page.ts";
import { type EdgeConnection, FakeEdge } from "./fake-edge.ts";
import type { CallOptions, SenderFigures, SenderOptions } from "./real-time-sender.ts";

const SENDER = fileURLToPath(new URL("./real-time-sender.ts", import.meta.url));
const ASSIGNMENT = { broadcastId: "b1", fence: 3, token: "a.b.c" };
const PUBLISHED = `/media/${MAIN_COMPOSITE_STREAM}?direction=publish`;
const SENDER_STREAM = "/sender-stream";
const PATIENCE_MS = 60_000;
export const SOUND_RATE = 48_000;

export const SCENE: Scene = {
	...{ layout: "solo", width: 640, height: 360, frameRate: 30, labels: false },
	...{ videoBitrateBps: 2_500_000, audioBitrateBps: 128_000, keyFrameIntervalS: 2 },
	people: [{ id: "host", name: "", gain: 1, expected: true }],
};

/** One picture of the program. */
export interface ShownPicture {
	readonly timeMs: number;
	/** Unix time at which its tag was here. */
	readonly atMs: number;
	/** Of the sender's picture it shows; `undefined` where none can be read. */
	readonly number: number | undefined;
}

/** One person, who sends by WebRTC and by a stream, a compositor page, and the edge between them: in the hands of a test. */
export class RealTimeStage {
	readonly edge: FakeEdge;
	readonly sender: Page;
	readonly compositor: Page;
	readonly signals: { readonly from: "compositor"; readonly connection: string; readonly signal: Signal }[] = [];
	readonly #folder: string;
	/** When each message of the program came. */
	readonly #times: Map<EdgeConnection, number[]>;

	private constructor(
		edge: FakeEdge,
		sender: Page,
		compositor: Page,
		folder: string,
		times: Map<EdgeConnection, number[]>,
	) {
		this.edge = edge;
		this.sender = sender;
		this.compositor = compositor;
		this.#folder = folder;
		this.#times = times;
	}

	static async open(built: BuiltPage, options: SenderOptions, scene = SCENE): Promise<RealTimeStage> {
		const folder = await mkdtemp(join(tmpdir(), "tandem-sender-"));
		await bundleForBrowser(SENDER, folder);
		const times = new Map<EdgeConnection, number[]>();
		let stage: RealTimeStage | undefined;
		const edge = await FakeEdge.open({
			onRequest: (request, response) => {
				const path = normalize(new URL(request.url ?? "/", "http://localhost").pathname);
				if (path === "/") {
					response
						.writeHead(200, { "content-type": "text/html; charset=utf-8" })
						.end("<!doctype html><title>person</title>");
					return;
				}
				readFile(join(folder, path)).then(
					(bytes) => response.writeHead(200, { "content-type": type(path) }).end(bytes),
					() => response.writeHead(404).end(),
				);
			},
			onConnection: (connection) => {
				if (connection.path.endsWith("/control")) {
					connection.socket.send(JSON.stringify({ type: "scene", scene }));
				}
			},
			onMessage: (connection) => {
				const message = connection.messages.at(-1);
				if (connection.path === SENDER_STREAM && message !== undefined) {
					stage?.streamTo(message);
				} else if (connection.path.includes(PUBLISHED)) {
					times.set(connection, [...(times.get(connection) ?? []), performance.timeOrigin + performance.now()]);
				} else if (connection.path.endsWith("/control")) {
					stage?.relay(controlRequestSchema.parse(JSON.parse(String(message))));
				}
			},
		});
		const sender = await built.newTab(`${edge.origin}/`);
		const compositor = await built.newPage();
		stage = new RealTimeStage(edge, sender, compositor, folder, times);
		for (const page of [sender, compositor]) {
			page.on("console", (message) => console.log(`${page === sender ? "sender" : "page"}: ${message.text()}`));
		}
		const own = stage;
		await sender.exposeFunction("tandemSay", (connection: string, signal: Signal) => own.tell(connection, signal));
		await sender.evaluate(`import("/entry.js").then(() => undefined)`);
		await stage.send("open", options);
		await compositor.evaluate(`tandemStart(${JSON.stringify({ apiUrl: edge.origin, ...ASSIGNMENT })})`);
		await waitFor("a compositor at work", PATIENCE_MS, () => own.stats.length > 0 || undefined);
		return stage;
	}

	/** Calls an export of the sender's page. */
	async send<Result = void>(name: string, ...args: readonly unknown[]): Promise<Result> {
		const call = `tandemRun(${JSON.stringify(name)}, ${JSON.stringify(toWire(args))})`;
		return fromWire(String(await this.sender.evaluate(call))) as Result;
	}

	/** Says who is in the call, and has the sender call. */
	async call(options: CallOptions): Promise<void> {
		this.sayCall([{ id: "host", connection: options.connection, realTime: true }]);
		await this.send("call", options);
	}

	figures(connection: string): Promise<SenderFigures> {
		return this.send("figures", connection);
	}

	sayCall(peers: readonly CallPeer[]): void {
		const self = { id: "compositor", connection: "c1", realTime: true };
		this.#control.socket.send(JSON.stringify({ type: "call", self, peers, iceServers: [] }));
	}

	/** A word of the sender's to the compositor. */
	tell(connection: string, signal: Signal): void {
		this.#control.socket.send(JSON.stringify({ type: "signal", from: "host", connection, signal }));
	}

	/** What the sender publishes goes to whoever subscribes, and what it says in text as well. */
	streamTo(message: Uint8Array | string): void {
		for (const { socket, path } of this.edge.connections) {
			if (path.includes("/media/host?direction=subscribe") && socket.readyState === socket.OPEN) {
				socket.send(message);
			}
		}
	}

	/** A note to whoever subscribes. */
	note(note: object): void {
		this.streamTo(JSON.stringify(note));
	}

	get senderStream(): string {
		return `${this.edge.origin.replace("http", "ws")}${SENDER_STREAM}`;
	}

	relay(request: ControlRequest): void {
		if (request.type === "ping") {
			this.#control.socket.send(CONTROL_PONG_TEXT);
		} else if (request.type === "signal") {
			this.signals.push({ from: "compositor", connection: request.connection, signal: request.signal });
			this.send("take", request.connection, request.signal).catch((error: unknown) => console.log(String(error)));
		}
	}

	get requests(): ControlRequest[] {
		const control = this.edge.connections.findLast(({ path }) => path.endsWith("/control"));
		return ((control?.messages ?? []) as string[]).map((message) => controlRequestSchema.parse(JSON.parse(message)));
	}

	get stats(): CompositorStats[] {
		return this.requests.flatMap((request) => (request.type === "compositor-stats" ? [request.stats] : []));
	}

	/** What was last said of the person. */
	get person(): CompositorStats["people"][number] | undefined {
		return this.stats.at(-1)?.people.find(({ id }) => id === "host");
	}

	/** `legs` and `shows`, as they were said. */
	get words(): { readonly type: string; readonly realTime?: readonly string[] }[] {
		return this.#published.flatMap(({ messages }) =>
			messages.flatMap((message) => (typeof message === "string" ? [JSON.parse(message)] : [])),
		);
	}

	get programPictures(): number {
		return this.#program.filter(({ tag }) => isPicture(tag)).length;
	}

	/** Which of the sender's pictures each picture of the program shows. */
	async pictures(): Promise<ShownPicture[]> {
		const program = this.#program;
		const { width, height } = SCENE;
		const ffmpeg = this.#ffmpeg(
			await this.#file(program),
			"-f",
			"rawvideo",
			"-pix_fmt",
			"gray",
			"-fps_mode",
			"passthrough",
		);
		const numbers: (number | undefined)[] = [];
		for await (const samples of rawPictures(ffmpeg.stdout, width * height)) {
			numbers.push(readFrameCode({ samples, width, height }, { x: 0, y: 0, width, height })?.number);
		}
		return program
			.filter(({ tag }) => isPicture(tag))
			.map(({ tag, atMs }, index) => ({ timeMs: tag.timestampMs, atMs, number: numbers[index] }));
	}

	/** The program's sound, one channel. */
	async sound(): Promise<Float32Array> {
		const file = await this.#file(this.#program);
		const ffmpeg = this.#ffmpeg(file, "-vn", "-f", "f32le", "-ac", "1", "-ar", `${SOUND_RATE}`);
		const chunks: Buffer[] = [];
		for await (const chunk of ffmpeg.stdout) {
			chunks.push(chunk);
		}
		const bytes = Uint8Array.from(Buffer.concat(chunks));
		return new Float32Array(bytes.buffer, 0, Math.floor(bytes.byteLength / 4));
	}

	/** When each number was captured. */
	captured(): Promise<number[]> {
		return this.send("captured");
	}

	async close(): Promise<void> {
		await this.sender.close();
		await this.compositor.close();
		await this.edge.close();
		await rm(this.#folder, { recursive: true, force: true });
	}

	get #control(): EdgeConnection {
		const control = this.edge.connections.findLast(({ path }) => path.endsWith("/control"));
		if (control === undefined) {
			throw new Error("stage: expected a control socket, got none");
		}
		return control;
	}

	get #published(): EdgeConnection[] {
		return this.edge.connections.filter(({ path }) => path.includes(PUBLISHED));
	}

	get #program(): { readonly tag: FlvTag; readonly atMs: number }[] {
		return this.#published.flatMap((connection) => {
			const times = this.#times.get(connection) ?? [];
			return connection.messages.flatMap((message, index) =>
				typeof message === "string" || isFlvHeader(message)
					? []
					: [{ tag: readSingleTag(message), atMs: times[index] ?? Number.NaN }],
			);
		});
	}

	async #file(program: readonly { readonly tag: FlvTag }[]): Promise<string> {
		const path = join(this.#folder, "program.flv");
		await writeFile(path, Buffer.concat([flvHeader(), ...program.map(({ tag }) => flvTagBytes(tag))]));
		return path;
	}

	#ffmpeg(path: string, ...output: readonly string[]) {
		const args = ["-hide_banner", "-loglevel", "error", "-nostdin", "-i", path, ...output, "pipe:1"];
		return spawn("ffmpeg", args, { stdio: ["ignore", "pipe", "inherit"] });
	}
}

function isPicture(tag: FlvTag): boolean {
	const kind = tagKind(tag);
	return kind === "video-key" || kind === "video-inter";
}

function type(path: string): string {
	return extname(path) === ".js" ? "text/javascript; charset=utf-8" : "application/octet-stream";
}
