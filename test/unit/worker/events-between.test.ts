import { describe, expect, test } from "vitest";
import type { BroadcastRecord } from "../../../worker/broadcast/broadcast-record.ts";
import { eventsBetween } from "../../../worker/broadcast/events/events-between.ts";
import { LIFECYCLE, statusAfter } from "../../../worker/broadcast/lifecycle.ts";
import {
	BROADCAST_STATUSES,
	type BroadcastCommand,
	type BroadcastStatus,
	type CommandType,
	type NewBroadcast,
} from "../../../worker/protocol/broadcast-commands.ts";
import {
	BROADCAST_EVENT_TYPES,
	BROADCAST_EVENTS,
	type EventDraft,
	isWanted,
} from "../../../worker/protocol/broadcast-events.ts";
import { EGRESS, give, INPUT, newDestination, World } from "./broadcast-world.ts";

const HOUR_MS = 3_600_000;
const SECRET = "s3cret";
const INVITE = { inviteId: "i1", codeHash: `${SECRET}-code`, maxUses: 1, expiresAtMs: 4e12, note: SECRET };
const WEBHOOK = { webhookId: "w1", url: `https://h.example/${SECRET}?k=${SECRET}`, sealedSecret: SECRET, events: [] };
const HASHES = { guest: `${SECRET}-a`, "guest-2": "b", "guest-3": "c", "guest-4": "d" };
const SECOND = newDestination("d2", { sealedAddress: SECRET, fingerprint: `${SECRET}-2` });

interface Case {
	readonly command: BroadcastCommand;
	/** What it makes happen, in order, with the status it leaves the broadcast in. */
	readonly expected: (status: BroadcastStatus) => readonly [type: string, data: unknown][];
}

const same =
	(...events: [string, unknown][]) =>
	() =>
		events;
const guest = { personId: "guest" };
const INVITED = { inviteId: "i1", maxUses: 1, expiresAt: new Date(4e12).toISOString() };
const isOver = (status: BroadcastStatus) => status === "ended" || status === "cancelled";

/** One of each command, on a broadcast with a held guest's place, an invite, a destination and a webhook. */
const CASES: { readonly [T in CommandType]: Case } = {
	update: {
		command: { type: "update", changes: { title: "Another", holdSeconds: 60 } },
		expected: same(["broadcast.updated", { settings: ["title", "holdSeconds"] }]),
	},
	start: {
		command: { type: "start" },
		expected: (status) => (status === "live" ? [["broadcast.live", { startedAt: expect.any(String) }]] : []),
	},
	end: { command: { type: "end", reason: "enough" }, expected: same(["broadcast.ended", { reason: "enough" }]) },
	cancel: {
		command: { type: "cancel" },
		expected: same(["broadcast.cancelled", { reason: "cancelled by the admin" }]),
	},
	delete: { command: { type: "delete" }, expected: same(["broadcast.deleted", {}]) },
	"set-scene": {
		command: { type: "set-scene", layout: "solo", labels: false, order: ["guest", "host"] },
		expected: same(["scene.changed", { layout: "solo", labels: false, order: ["guest", "host"] }]),
	},
	"set-person": {
		command: { type: "set-person", ...guest, name: "Grace", gain: 2, muted: true } as BroadcastCommand,
		expected: same(["person.updated", { ...guest, name: "Grace", gain: 2, muted: true }]),
	},
	"admit-person": {
		command: { type: "admit-person", personId: "guest" },
		expected: same(["person.admitted", guest]),
	},
	"remove-person": {
		command: { type: "remove-person", personId: "guest" },
		expected: same(["person.removed", guest]),
	},
	"renew-credentials": {
		command: { type: "renew-credentials", personId: "host", streamKeyHash: SECRET },
		expected: same(["credentials.renewed", { personId: "host" }]),
	},
	"renew-viewers": {
		command: { type: "renew-viewers" },
		expected: same(["credentials.renewed", { personId: "viewer" }]),
	},
	"create-invite": {
		command: { type: "create-invite", ...INVITE, inviteId: "i2", codeHash: "another", name: "Ada" },
		expected: same(["invite.created", { ...INVITED, inviteId: "i2", name: "Ada" }]),
	},
	"revoke-invite": {
		command: { type: "revoke-invite", inviteId: "i1" },
		expected: same(["invite.revoked", { inviteId: "i1" }]),
	},
	"redeem-invite": {
		command: { type: "redeem-invite", codeHash: INVITE.codeHash, name: "Grace", streamKeyHash: HASHES },
		expected: same(["invite.redeemed", { inviteId: "i1", ...guest, name: "Grace" }]),
	},
	"add-destination": {
		command: { type: "add-destination", ...SECOND },
		expected: (status) => [
			["destination.added", { destinationId: "d2", service: "custom", via: "edge", url: "rtmp://d2.example/app" }],
			...(status === "live"
				? ([["destination.state", { destinationId: "d2", state: "connecting" }]] as [string, unknown][])
				: []),
		],
	},
	"update-destination": {
		command: {
			type: "update-destination",
			destinationId: "d1",
			name: "Main",
			address: { shownUrl: "rtmp://d1.example/app", hasStreamKey: true, sealedAddress: SECRET, fingerprint: SECRET },
		},
		expected: same(["destination.updated", { destinationId: "d1", changed: ["name", "streamKey"] }]),
	},
	"remove-destination": {
		command: { type: "remove-destination", destinationId: "d1" },
		expected: same(["destination.removed", { destinationId: "d1" }]),
	},
	"add-webhook": {
		command: { type: "add-webhook", ...WEBHOOK, webhookId: "w2" },
		expected: same(["webhook.added", { webhookId: "w2", origin: "https://h.example" }]),
	},
	"remove-webhook": {
		command: { type: "remove-webhook", webhookId: "w1" },
		expected: same(["webhook.removed", { webhookId: "w1" }]),
	},
};

/** A world whose events are noted as they would be stored. */
class Witness extends World {
	readonly events: EventDraft[] = [];

	protected override saved(
		record: BroadcastRecord,
		before: BroadcastRecord | undefined,
		cause: Parameters<typeof eventsBetween>[2],
	): void {
		const drafts = eventsBetween(before, record, cause, 0);
		for (const { type, data } of drafts) {
			BROADCAST_EVENTS[type].parse(data);
		}
		expect(JSON.stringify(drafts)).not.toContain(SECRET);
		this.events.push(...drafts);
	}

	told(): [string, unknown][] {
		return this.events.splice(0).map(({ type, data }) => [type, data]);
	}
}

/** A broadcast in that status, and what it is told by from then on. */
async function broadcastThatIs(status: BroadcastStatus, changes: Partial<NewBroadcast> = {}) {
	const witness = new Witness();
	const control = witness.control();
	const isTimed = status === "scheduled" || status === "cancelled";
	await witness.create(control, {
		guestAdmission: "manual",
		streamKeyHashes: { host: SECRET, guest: SECRET },
		...(isTimed ? { scheduledStartMs: 10 * HOUR_MS } : {}),
		...changes,
	});
	await give(control, { type: "create-invite", ...INVITE }, 0);
	await give(control, { type: "add-webhook", ...WEBHOOK }, 0);
	const way: Partial<Record<BroadcastStatus, BroadcastCommand>> = {
		live: { type: "start" },
		ended: { type: "end" },
		cancelled: { type: "cancel" },
	};
	const command = way[status];
	if (command !== undefined) {
		await give(control, command, 0);
	}
	expect(control.record?.status).toBe(status);
	witness.told();
	return { witness, control };
}

describe("each command, in each status", () => {
	for (const type of Object.keys(CASES) as CommandType[]) {
		for (const status of BROADCAST_STATUSES) {
			const { command, expected } = CASES[type];
			const rule = LIFECYCLE[type][status];
			const legal = statusAfter(status, type);
			if (!legal.ok) {
				test(`${type} of one that is ${status} is refused, and tells of nothing`, async () => {
					const { witness, control } = await broadcastThatIs(status);
					expect((await give(control, command, 1)).ok).toBe(false);
					expect(witness.told()).toEqual([]);
				});
				continue;
			}
			const isNoChange = typeof rule === "object" && rule.to === status;
			test(`${type} of one that is ${status} tells of ${isNoChange ? "nothing" : "that and nothing else"}`, async () => {
				// Admitted without being asked: so only what the command itself does is told.
				const admission = type === "redeem-invite" ? "automatic" : "manual";
				const { witness, control } = await broadcastThatIs(status, { guestAdmission: admission });
				const given = await give(control, command, 1);
				expect(given.ok).toBe(true);
				const told = witness.told();
				// What the world does about it comes by the world, and is tested below.
				const own = told.filter(([each]) => !each.startsWith("destination.state") || type === "add-destination");
				expect(own).toEqual(isNoChange ? [] : expected(legal.value));
				// The same once more changes nothing.
				if (!isOver(status) && ["update", "set-scene", "set-person", "admit-person", "remove-person"].includes(type)) {
					await give(control, command, 2);
					expect(witness.told()).toEqual([]);
				}
			});
		}
	}
});

describe("what the world does", () => {
	const onAir = () => broadcastThatIs("live", { guestAdmission: "automatic" });

	test("a new broadcast is told of with all that it begins with", async () => {
		const witness = new Witness();
		const control = witness.control();
		await witness.create(control, { webhooks: [WEBHOOK] });
		expect(witness.told()).toEqual([
			["broadcast.created", { title: "A test", status: "lobby" }],
			["broadcast.lobby_opened", {}],
			["destination.added", { destinationId: "d1", service: "custom", via: "edge", url: "rtmp://d1.example/app" }],
			["webhook.added", { webhookId: "w1", origin: "https://h.example" }],
		]);
	});

	test("a start is set, put off, and taken away; a lobby opens by time", async () => {
		const witness = new Witness();
		const control = witness.control();
		await witness.create(control, { scheduledStartMs: HOUR_MS });
		const [one, two] = [HOUR_MS, 2 * HOUR_MS].map((timeMs) => new Date(timeMs).toISOString());
		expect(witness.told().slice(0, 2)).toEqual([
			["broadcast.created", { title: "A test", status: "scheduled", scheduledStartTime: one }],
			["broadcast.scheduled", { scheduledStartTime: one }],
		]);
		await give(control, { type: "update", changes: { scheduledStartMs: 2 * HOUR_MS } }, 1);
		expect(witness.told()).toEqual([["broadcast.rescheduled", { scheduledStartTime: two }]]);
		await control.settle(2 * HOUR_MS - INPUT.lobbySeconds * 1_000);
		expect(witness.events).toMatchObject([{ type: "broadcast.lobby_opened", actor: "schedule" }]);
		witness.told();
		await give(control, { type: "update", changes: { scheduledStartMs: null } }, 2);
		expect(witness.told()).toEqual([["broadcast.rescheduled", { scheduledStartTime: null }]]);
		await give(control, { type: "update", changes: { scheduledStartMs: 2 * HOUR_MS } }, 3);
		expect(witness.told()).toEqual([["broadcast.scheduled", { scheduledStartTime: two }]]);
	});

	test("people come and go, and leave with the end", async () => {
		const { witness, control } = await onAir();
		await control.streamChanged({ stream: "host", state: "live" }, 1);
		await control.streamChanged({ stream: "guest", state: "live" }, 2);
		await control.streamChanged({ stream: "guest", state: "idle" }, 3);
		await control.streamChanged({ stream: "guest", state: "idle" }, 4);
		expect(witness.told()).toEqual([
			["person.joined", { personId: "host" }],
			["person.joined", guest],
			["person.left", guest],
		]);
		await control.programChanged({ source: "host" }, 5);
		expect(witness.told()).toEqual([["program.source", { source: "host" }]]);
		await control.holdExpired(6);
		expect(witness.told()).toEqual([
			["broadcast.ended", { reason: "nothing came for 120 s" }],
			["person.left", { personId: "host" }],
			["program.source", { source: "none" }],
		]);
	});

	test("whoever is removed while live leaves first, and a revoked invite takes its guest along", async () => {
		const { witness, control } = await onAir();
		await give(control, { type: "redeem-invite", codeHash: INVITE.codeHash, streamKeyHash: HASHES }, 1);
		await control.streamChanged({ stream: "guest", state: "live" }, 2);
		witness.told();
		await give(control, { type: "revoke-invite", inviteId: "i1" }, 3);
		expect(witness.told().filter(([type]) => type !== "destination.state")).toEqual([
			["invite.revoked", { inviteId: "i1" }],
			["person.left", guest],
			["person.removed", guest],
		]);
	});

	test("a guest who waits is told of as admitted, and a free place as given by its new key", async () => {
		const { witness, control } = await broadcastThatIs("lobby");
		await give(control, { type: "redeem-invite", codeHash: INVITE.codeHash, streamKeyHash: HASHES }, 1);
		expect(witness.told()).toEqual([["invite.redeemed", { inviteId: "i1", ...guest, name: "Guest" }]]);
		await give(control, { type: "admit-person", personId: "guest" }, 2);
		expect(witness.told()).toEqual([["person.admitted", guest]]);
		await give(control, { type: "remove-person", personId: "guest" }, 3);
		witness.told();
		await give(control, { type: "update", changes: { guestAdmission: "automatic" } }, 4);
		witness.told();
		await give(control, { type: "renew-credentials", personId: "guest", streamKeyHash: SECRET }, 5);
		expect(witness.told()).toEqual([
			["credentials.renewed", guest],
			["person.admitted", guest],
		]);
	});

	test("a destination's states are told with why it fails", async () => {
		const { witness, control } = await onAir();
		for (const state of ["connecting", "live", "retrying", "refused", "stopped"] as const) {
			const failure = state === "retrying" || state === "refused" ? { lastError: `it is ${state}` } : {};
			await control.egressChanged("d1", { ...EGRESS, state, ...failure }, 1);
			await control.egressChanged("d1", { ...EGRESS, bytes: 1, state, ...failure }, 2);
			// It was connecting from the start.
			const expected =
				state === "connecting" ? [] : [["destination.state", { destinationId: "d1", state, ...failure }]];
			expect(witness.told()).toEqual(expected);
		}
	});

	test("a compositor is assigned, ready and lost, and the next one likewise", async () => {
		const { witness, control } = await broadcastThatIs("live", { alwaysCompose: true });
		const { fence } = control.record?.lease ?? { fence: 0 };
		const say = (state: "assigned" | "running" | "lost") =>
			control.leaseChanged({ leaseId: "l", fence, state, reason: "it crashed" }, 1);
		await say("assigned");
		expect(witness.told()).toEqual([]);
		await say("running");
		await say("running");
		await say("lost");
		expect(witness.told()).toEqual([
			["compositor.ready", { fence }],
			["compositor.lost", { fence, reason: "it crashed" }],
		]);
		await control.settle(2);
		expect(witness.told()).toEqual([["compositor.assigned", { fence: fence + 1 }]]);
	});

	test("who did it and by which request goes along", async () => {
		const { witness, control } = await onAir();
		await control.command({ type: "update", changes: { title: "X" } }, { actor: "host", requestId: "r" }, 1);
		expect(witness.events).toMatchObject([{ type: "broadcast.updated", actor: "host", requestId: "r" }]);
	});

	test("after a broadcast was deleted nothing is told any more", async () => {
		const { witness, control } = await broadcastThatIs("lobby");
		witness.failing.add("end-router");
		await give(control, { type: "delete" }, 1);
		witness.failing.clear();
		await control.settle(60_000);
		expect(witness.told()).toEqual([["broadcast.deleted", {}]]);
	});
});

test("a webhook wants types and beginnings of types up to a dot", () => {
	const wanted = (...filter: string[]) => BROADCAST_EVENT_TYPES.filter((type) => isWanted(type, filter));
	expect(wanted()).toEqual(BROADCAST_EVENT_TYPES);
	expect(wanted("scene")).toEqual(["scene.changed"]);
	expect(wanted("scene.")).toEqual(["scene.changed"]);
	expect(wanted("person.left", "broadcast.live")).toEqual(["broadcast.live", "person.left"]);
	expect(wanted("pers")).toEqual([]);
});
