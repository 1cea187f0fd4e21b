import { describe, expect, it } from "vitest";
import { routeOfStreamKey } from "../../../runner/rtmp-ingest/stream-route.ts";
import { signRoleToken } from "../../../worker/auth/role-token.ts";
import { newStreamKey } from "../../../worker/auth/stream-key.ts";

const BROADCAST = "0123456789abcdef";

function tokenOf(payload: unknown): string {
	return `e30.${Buffer.from(JSON.stringify(payload)).toString("base64url")}.c2ln`;
}

describe("routing by stream key", () => {
	it.each(["host", "guest"] as const)("reads broadcast and role from a short key of a %s", (role) => {
		expect(routeOfStreamKey(newStreamKey(BROADCAST, role))).toEqual({ broadcastId: BROADCAST, stream: role });
	});

	it("reads broadcast and role from a role token, without verifying it", async () => {
		const token = await signRoleToken({ bid: BROADCAST, role: "guest", exp: 1 }, "k".repeat(32));
		expect(routeOfStreamKey(token)).toEqual({ broadcastId: BROADCAST, stream: "guest" });
	});

	it.each([
		["nothing", ""],
		["a word", "stream"],
		["a role that does not publish", `${BROADCAST}-viewer-abcdefgh`],
		["a path out of the API", "../../x-host-abcdefgh"],
		["a token of a viewer", tokenOf({ bid: BROADCAST, role: "viewer" })],
		["a token with a path as its broadcast", tokenOf({ bid: "../destinations", role: "host" })],
		["a token without claims", tokenOf(null)],
		["three words", "not.a.token"],
		["something far too long", `${BROADCAST}-host-${"a".repeat(3_000)}`],
	])("finds no route in %s", (_what, key) => {
		expect(routeOfStreamKey(key)).toBeUndefined();
	});
});
