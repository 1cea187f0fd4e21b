import { describe, expect, test } from "vitest";
import type { BroadcastSession, SessionEvents, SessionState } from "../../../../web/lib/session-types.ts";
import { Attendance, type AttendanceOptions } from "../../../../web/ui/attend/attendance.ts";
import type { Entering } from "../../../../web/ui/green-room/entering.ts";
import type { ShowApi } from "../../../../web/ui/show-api.ts";
import type { AfterWord } from "../../../../web/ui/why-over.ts";

const HOW: Entering = { name: "Grace", devices: { cameraId: "c" }, camera: true, microphone: false };
const STATE: SessionState = {
	person: "guest",
	connection: "open",
	status: "live",
	program: "host",
	layout: "pip",
	labels: true,
	people: [],
	media: { camera: true, microphone: true, screen: false },
	legs: { stream: "off", realTime: "off" },
	notices: [],
};

class FakeSession implements BroadcastSession {
	state = STATE;
	readonly preview = {} as MediaStream;
	readonly commands: unknown[] = [];
	left = 0;
	readonly #listeners = new Map<string, Set<(value: never) => void>>();

	on<K extends keyof SessionEvents>(event: K, listener: (value: SessionEvents[K]) => void): () => void {
		const listeners = this.#listeners.get(event) ?? new Set();
		this.#listeners.set(event, listeners.add(listener as (value: never) => void));
		return () => listeners.delete(listener as (value: never) => void);
	}
	tell<K extends keyof SessionEvents>(event: K, value: SessionEvents[K]): void {
		for (const listener of this.#listeners.get(event) ?? []) {
			listener(value as never);
		}
	}
	async command(command: unknown) {
		this.commands.push(command);
	}
	async leave() {
		this.left += 1;
		this.tell("ended", { reason: "left" });
	}
	async setCamera() {}
	async setMicrophone() {}
	async useDevices() {}
	async listDevices() {
		return [];
	}
	async shareScreen() {}
	async stopSharing() {}
}

function attend(options: Partial<AttendanceOptions> & { after?: AfterWord } = {}) {
	const session = new FakeSession();
	const joins: unknown[] = [];
	const redeemed: unknown[] = [];
	const kept = new Map<string, string>();
	const { after = { kind: "status", status: "live" }, ...rest } = options;
	const attendance = new Attendance({
		broadcastId: "abc",
		credential: { kind: "token", token: "token-1" },
		url: "https://tandem.example/join/abc",
		memory: { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, value) },
		join: async (asked) => {
			joins.push(asked);
			return session;
		},
		apiFor: (token) =>
			({
				redeemInvite: async (name: string | undefined) => {
					redeemed.push([token, name]);
					return "token-of-invite";
				},
				after: async () => after,
			}) as unknown as ShowApi,
		...rest,
	});
	return { attendance, session, joins, redeemed, kept };
}

/** Of promises that are settled already. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("Attendance", () => {
	test("joins with what was chosen, once however often it is clicked", async () => {
		const { attendance, joins } = attend();
		await Promise.all([attendance.enter(HOW), attendance.enter(HOW)]);
		expect(attendance.state.kind).toBe("in");
		expect(joins).toEqual([
			{
				url: "https://tandem.example/join/abc",
				token: "token-1",
				devices: { cameraId: "c" },
				camera: true,
				microphone: false,
			},
		]);
	});

	test("redeems an invite when somebody goes in by it, and never again", async () => {
		const { attendance, redeemed, kept, joins } = attend({ credential: { kind: "invite", code: "code-1" } });
		expect(redeemed).toEqual([]);
		await attendance.enter(HOW);
		await attendance.leave();
		attendance.back();
		await attendance.enter(HOW);
		expect(redeemed).toEqual([["code-1", "Grace"]]);
		expect(joins).toMatchObject([{ token: "token-of-invite" }, { token: "token-of-invite" }]);
		expect([...kept.values()].map((text) => JSON.parse(text))).toEqual([
			{ invite: "code-1", token: "token-of-invite" },
		]);
	});

	test("goes back to the green room with what went wrong", async () => {
		const { attendance } = attend({ join: () => Promise.reject(new Error("The camera is gone.")) });
		await attendance.enter(HOW);
		expect(attendance.state).toEqual({ kind: "green-room", error: "The camera is gone." });
	});

	test("takes the name that was given, as soon as the other one is known", async () => {
		const { attendance, session } = attend();
		await attendance.enter(HOW);
		expect(session.commands).toEqual([]);
		const self = { id: "guest", name: "Guest", live: true, admitted: false, muted: false } as const;
		session.tell("state", { ...STATE, people: [self] });
		session.tell("state", { ...STATE, people: [self] });
		expect(session.commands).toEqual([{ type: "set-person", personId: "guest", name: "Grace" }]);
	});

	test("keeps a name that is right already", async () => {
		const { attendance, session } = attend();
		session.state = { ...STATE, people: [{ id: "guest", name: "Grace", live: true, admitted: true, muted: false }] };
		await attendance.enter(HOW);
		expect(session.commands).toEqual([]);
	});

	test("leaves, and is not said to have been taken over", async () => {
		const { attendance, session } = attend();
		await attendance.enter(HOW);
		await attendance.leave();
		await settled();
		expect(session.left).toBe(1);
		expect(attendance.state).toMatchObject({ kind: "over", why: "left" });
	});

	test.each([
		[{ kind: "status", status: "ended" }, "ended"],
		[{ kind: "status", status: "live" }, "taken-over"],
		[{ kind: "refused", status: 401 }, "removed"],
	] as const)("asks how it stands when the session ends by itself: %o is %s", async (after, why) => {
		const { attendance, session } = attend({ after });
		await attendance.enter(HOW);
		session.tell("ended", { reason: "words" });
		await settled();
		expect(attendance.state).toEqual({ kind: "over", why, reason: "words" });
	});

	test("tells the page of every change", async () => {
		const { attendance } = attend();
		const kinds: string[] = [];
		attendance.onChange(() => kinds.push(attendance.state.kind));
		await attendance.enter(HOW);
		await attendance.leave();
		attendance.back();
		expect(kinds).toEqual(["entering", "in", "over", "green-room"]);
	});
});
