import { expect, test } from "vitest";
import { type BroadcastRecord, newBroadcastRecord } from "../../../worker/broadcast/broadcast-record.ts";
import { compositorWanted } from "../../../worker/broadcast/compositor-wanted.ts";
import { NEVER_CAME_MS, unattendedEnd } from "../../../worker/broadcast/presence.ts";
import { INPUT } from "./broadcast-world.ts";

const LIVE: BroadcastRecord = {
	...newBroadcastRecord(INPUT, 0),
	status: "live",
	startedAtMs: 1_000,
};
const HELD = { phase: "running", fence: 1, leaseId: "l", failures: 0 } as const;

const CASES: readonly [name: string, record: Partial<BroadcastRecord>, nowMs: number, wanted: string | undefined][] = [
	["nobody there", {}, 2_000, undefined],
	["a host alone", { liveStreams: ["host"] }, 2_000, undefined],
	["always composed, nobody there", { alwaysCompose: true }, 2_000, "always"],
	["always composed, in the lobby", { alwaysCompose: true, status: "lobby" }, 2_000, undefined],
	["always composed, over", { alwaysCompose: true, status: "ended" }, 2_000, undefined],
	["host and guest", { liveStreams: ["host", "guest"] }, 2_000, "guest"],
	["host and guest in the lobby", { liveStreams: ["host", "guest"], status: "lobby" }, 2_000, undefined],
	["a guest alone", { liveStreams: ["guest"] }, 2_000, "guest"],
	["a guest who just left", { liveStreams: ["host"], leftAtMs: { guest: 5_000 } }, 14_999, "guest"],
	["a guest who left for good", { liveStreams: ["host"], leftAtMs: { guest: 5_000 } }, 15_000, undefined],
	["no grace", { liveStreams: ["host"], leftAtMs: { guest: 5_000 }, guestGraceSeconds: 0 }, 5_000, undefined],
	["an unfit host", { liveStreams: ["host"], hostUnfit: "1920×1080" }, 2_000, "host-unfit"],
	["a host who just left", { leftAtMs: { host: 2_000 } }, 3_000, undefined],
	["a compositor with nobody left", { leftAtMs: { guest: 2_000 }, lease: HELD }, 60_000, "nobody"],
	["a compositor and a host who is back", { liveStreams: ["host"], lease: HELD }, 60_000, undefined],
	["a compositor asked for and nobody left", { lease: { ...HELD, phase: "waiting" } }, 60_000, undefined],
	["a compositor lost and nobody left", { lease: { ...HELD, phase: "retrying" } }, 60_000, undefined],
];

test.each(CASES)("%s", (_, changes, nowMs, wanted) => {
	expect(compositorWanted({ ...LIVE, ...changes }, nowMs)).toBe(wanted);
});

const ENDS: readonly [name: string, record: Partial<BroadcastRecord>, atMs: number | undefined][] = [
	["nobody ever came", {}, 1_000 + NEVER_CAME_MS],
	["nobody ever came, but a hold of an hour", { holdSeconds: 3_600 }, 1_000 + 3_600_000],
	["nobody came since the start", { leftAtMs: { host: 500 } }, 1_000 + NEVER_CAME_MS],
	["the host is there", { liveStreams: ["host"], leftAtMs: { guest: 5_000 } }, undefined],
	["the guest is there", { liveStreams: ["guest"], leftAtMs: { host: 5_000 } }, undefined],
	["both left", { leftAtMs: { host: 5_000, guest: 9_000 } }, 129_000],
	["both left, cards go on", { leftAtMs: { host: 5_000, guest: 9_000 }, alwaysCompose: true, lease: HELD }, 129_000],
	["only a composite is there", { liveStreams: ["composite/main"], leftAtMs: { host: 5_000 } }, 125_000],
	["in the lobby", { status: "lobby" }, undefined],
	["over", { status: "ended", leftAtMs: { host: 5_000 } }, undefined],
];

test.each(ENDS)("a broadcast nobody attends ends: %s", (_, changes, atMs) => {
	expect(unattendedEnd({ ...LIVE, ...changes })?.atMs).toBe(atMs);
});
