import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import {
	ANSWER_KEPT_MS,
	MAX_REMEMBERED,
	REQUEST_DIES_AFTER_MS,
	RememberedRequests,
} from "../../../worker/broadcast/idempotency.ts";
import type { RepeatableRequest } from "../../../worker/protocol/idempotency.ts";

const NOW_MS = Date.UTC(2027, 0, 1);

class World {
	readonly #database = new DatabaseSync(":memory:");
	requests = this.newObject();

	/** As after an eviction: the table stays. */
	newObject(): RememberedRequests {
		const database = this.#database;
		this.requests = new RememberedRequests({
			exec: (query, ...bindings) => ({ toArray: () => database.prepare(query).all(...bindings) }),
		});
		return this.requests;
	}

	/** As `storage.deleteAll` does. */
	deleteAll(): void {
		this.requests.ownerDeleted();
		const creation = this.requests.creation();
		this.#database.exec("DROP TABLE remembered_requests");
		this.requests.storageDeleted(creation);
	}
}

function request(requestKey: string, more: Partial<RepeatableRequest> = {}): RepeatableRequest {
	return { requestKey, fingerprint: "f", attempt: "1", creates: false, ...more };
}

test("is first, then running, then answered for a day, also for the object that takes its place", () => {
	const world = new World();
	expect(world.requests.begin(request("k"), true, NOW_MS)).toEqual({ state: "first" });
	expect(world.newObject().begin(request("k", { attempt: "2" }), true, NOW_MS + 1)).toEqual({ state: "running" });
	world.requests.finish(request("k"), "sealed", NOW_MS + 2);
	const answered = { state: "answered", sealedAnswer: "sealed" };
	expect(world.newObject().begin(request("k"), true, NOW_MS + 1 + ANSWER_KEPT_MS)).toEqual(answered);
	expect(world.requests.begin(request("k"), true, NOW_MS + 2 + ANSWER_KEPT_MS)).toEqual({ state: "first" });
});

test("one that died is free after a minute, and its late word counts for nothing", () => {
	const { requests } = new World();
	requests.begin(request("k"), true, NOW_MS);
	expect(requests.begin(request("k", { attempt: "2" }), true, NOW_MS + REQUEST_DIES_AFTER_MS - 1).state).toBe(
		"running",
	);
	expect(requests.begin(request("k", { attempt: "2" }), true, NOW_MS + REQUEST_DIES_AFTER_MS).state).toBe("first");
	requests.finish(request("k"), "late", NOW_MS + REQUEST_DIES_AFTER_MS + 1);
	requests.finish(request("k"), undefined, NOW_MS + REQUEST_DIES_AFTER_MS + 1);
	expect(requests.begin(request("k", { attempt: "3" }), true, NOW_MS + REQUEST_DIES_AFTER_MS + 2).state).toBe(
		"running",
	);
});

test("one without an answer to keep is free at once, for whatever is asked", () => {
	const { requests } = new World();
	requests.begin(request("k"), true, NOW_MS);
	requests.finish(request("k"), undefined, NOW_MS);
	expect(requests.begin(request("k", { fingerprint: "other" }), true, NOW_MS)).toEqual({ state: "first" });
});

test("another request under its key is told apart while it runs and after", () => {
	const { requests } = new World();
	const other = request("k", { fingerprint: "other" });
	requests.begin(request("k"), true, NOW_MS);
	expect(requests.begin(other, true, NOW_MS)).toEqual({ state: "mismatch" });
	requests.finish(request("k"), "sealed", NOW_MS);
	expect(requests.begin(other, true, NOW_MS)).toEqual({ state: "mismatch" });
});

test("makes room by the oldest answers, and never by what is being carried out", () => {
	const { requests } = new World();
	for (let index = 0; index < MAX_REMEMBERED; index++) {
		expect(requests.begin(request(`k${index}`), true, NOW_MS + index).state).toBe("first");
	}
	expect(requests.begin(request("more"), true, NOW_MS + MAX_REMEMBERED)).toEqual({ state: "full" });
	requests.finish(request("k7"), "sealed", NOW_MS + MAX_REMEMBERED);
	requests.finish(request("k3"), "sealed", NOW_MS + MAX_REMEMBERED + 1);
	expect(requests.begin(request("more"), true, NOW_MS + MAX_REMEMBERED + 2).state).toBe("first");
	expect(requests.begin(request("k3"), true, NOW_MS + MAX_REMEMBERED + 2).state).toBe("answered");
	expect(requests.begin(request("k0"), true, NOW_MS + MAX_REMEMBERED + 2).state).toBe("running");
});

test("what created the broadcast is remembered past its deletion, and never creates it again", () => {
	const world = new World();
	const creation = request("k", { creates: true });
	world.requests.begin(creation, false, NOW_MS);
	world.requests.begin(request("other"), true, NOW_MS);
	world.requests.finish(creation, "sealed", NOW_MS);
	expect(world.requests.begin(request("another's", { creates: true }), true, NOW_MS)).toEqual({ state: "used" });
	world.deleteAll();
	expect(world.newObject().begin(creation, false, NOW_MS + 1).state).toBe("answered");
	expect(world.requests.begin(creation, false, NOW_MS + ANSWER_KEPT_MS)).toEqual({ state: "used" });
});

test("a creation that was refused may be asked for again after a day, and one that died is made again as it was", () => {
	const { requests } = new World();
	const creation = request("k", { creates: true });
	requests.begin(creation, false, NOW_MS);
	requests.finish(creation, "a refusal", NOW_MS);
	expect(requests.begin(creation, false, NOW_MS + ANSWER_KEPT_MS).state).toBe("first");
	const afterDeathMs = NOW_MS + ANSWER_KEPT_MS + REQUEST_DIES_AFTER_MS;
	const other = request("k", { creates: true, fingerprint: "other" });
	expect(requests.begin(other, true, afterDeathMs)).toEqual({ state: "mismatch" });
	expect(requests.begin(creation, true, afterDeathMs)).toEqual({ state: "first" });
});
