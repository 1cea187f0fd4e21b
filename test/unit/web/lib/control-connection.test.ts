import { describe, expect, test } from "vitest";
import type { SocketEvents } from "../../../../sockets/reconnecting-socket.ts";
import { ANSWER_WITHIN_MS } from "../../../../web/lib/control/command-answers.ts";
import { ControlConnection } from "../../../../web/lib/control/control-connection.ts";
import { CLOSE } from "../../../../worker/protocol/close-codes.ts";
import { CONTROL_PING_TEXT, CONTROL_PONG_TEXT } from "../../../../worker/protocol/control-messages.ts";
import { ManualClock, settle } from "../../../support/manual-clock.ts";

const START = { type: "start" } as const;

function connect() {
	const clock = new ManualClock();
	const sent: string[] = [];
	const heard: string[] = [];
	const line = { isOpen: true, reconnects: 0, closes: 0 };
	let events: SocketEvents | undefined;
	const control = new ControlConnection({
		clock,
		openSocket: (given) => {
			events = given;
			return {
				get open() {
					return line.isOpen ? { send: (text: unknown) => void sent.push(String(text)) } : undefined;
				},
				reconnect: () => {
					line.reconnects += 1;
				},
				close: () => {
					line.closes += 1;
				},
			};
		},
		onOpen: () => heard.push("open"),
		onEvent: ({ type }) => heard.push(type),
		onBroken: () => heard.push("broken"),
		onClosed: (code) => heard.push(`closed ${code}`),
	});
	const socket = events as SocketEvents;
	const say = (message: object) => socket.onMessage(JSON.stringify(message));
	return { clock, control, sent, heard, line, socket, say };
}

/** How a promise ends: "done", or the words it is rejected with. */
const outcome = (promise: Promise<void>) =>
	promise.then(
		() => "done",
		(error: Error) => error.message,
	);

describe("ControlConnection", () => {
	test("tells the answers of commands apart by their ids", async () => {
		const { control, sent, say, clock } = connect();
		const outcomes = [outcome(control.command(START)), outcome(control.command(START))];
		const [first, second] = sent.map((text) => JSON.parse(text).id);
		say({ type: "error", id: second, title: "No", detail: "broadcast: expected lobby, got live" });
		say({ type: "done", id: first, version: 2 });
		expect(await Promise.all(outcomes)).toEqual(["done", "No: expected lobby, got live."]);
		expect(clock.pending).toBe(0);
	});

	test("gives up a command that is not answered", async () => {
		const { control, clock, say } = connect();
		const given = outcome(control.command(START));
		await clock.advance(ANSWER_WITHIN_MS);
		expect(await given).toMatch(/not answered within 10 seconds/);
		say({ type: "done", id: 1, version: 2 });
	});

	test("takes none without a connection, and ends those under way when it breaks", async () => {
		const { control, line, socket } = connect();
		const given = outcome(control.command(START));
		line.isOpen = false;
		socket.onBroken("gone");
		expect(await given).toMatch(/connection broke/);
		expect(await outcome(control.command(START))).toMatch(/no connection/);
	});

	test("takes the closing for the answer of the command that asks for the end", async () => {
		const { control, socket, heard } = connect();
		const given = [outcome(control.command({ type: "end" })), outcome(control.command(START))];
		socket.onRefused(CLOSE.ended.code, "over");
		expect(await Promise.all(given)).toEqual(["done", "The connection was closed before the server answered."]);
		expect(heard).toEqual([`closed ${CLOSE.ended.code}`]);
	});

	test("passes over what it does not know, and hands on what is no command's answer", () => {
		const { say, socket, heard } = connect();
		say({ type: "from-the-future" });
		socket.onMessage("no JSON");
		socket.onMessage(CONTROL_PONG_TEXT);
		say({ type: "error", title: "No", detail: "call: expected less" });
		say({ type: "status", status: "live", layout: "pip", liveStreams: [] });
		expect(heard).toEqual(["error", "status"]);
	});

	test("asks a line of which it does not know whether it lives, and makes another when nothing comes", async () => {
		const { control, clock, line, sent, socket } = connect();
		control.probe();
		expect(sent).toEqual([CONTROL_PING_TEXT]);
		socket.onMessage(CONTROL_PONG_TEXT);
		await clock.advance(5_000);
		expect(line.reconnects).toBe(0);
		control.probe();
		await clock.advance(5_000);
		expect(line.reconnects).toBe(1);
	});

	test("closed, leaves nothing waiting", async () => {
		const { control, clock, line } = connect();
		const given = outcome(control.command(START));
		control.probe();
		control.close();
		await settle();
		expect(await given).toMatch(/left the show/);
		expect([clock.pending, line.closes]).toEqual([0, 1]);
	});
});
