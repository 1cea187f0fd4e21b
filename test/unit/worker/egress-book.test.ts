import { expect, test } from "vitest";
import {
	EGRESS_LOST_AFTER_MS,
	EgressBook,
	type EgressBookState,
	type EgressEffect,
} from "../../../worker/pool/egress-book.ts";
import { SILENT_AFTER_MS } from "../../../worker/pool/lease-records.ts";
import {
	EGRESS_KEPT_WITHOUT_POOL_MS,
	type EgressJob,
	type EgressJobName,
	type EgressJobReport,
} from "../../../worker/protocol/egress-jobs.ts";
import type { PoolMessage } from "../../../worker/protocol/pool-messages.ts";

const SECRET = "s3cret-key";

function job(fence = 1, jobId = "b/d"): EgressJob {
	return {
		jobId,
		fence,
		work: "publish",
		broadcastId: "b",
		stream: "program/main",
		token: `${SECRET}-token`,
		target: {
			url: `rtmp://live.example/app/${SECRET}`,
			...{ width: 1280, height: 720, frameRate: 30, videoBitrateBps: 3_000_000, audioBitrateBps: 128_000 },
		},
		allowPrivate: false,
	};
}

function hello(runnerId: string, egressPlaces = 16, egressJobs: EgressJobName[] = []) {
	return { type: "hello" as const, runnerId, capacity: 0, leaseIds: [], egressPlaces, egressJobs };
}

function report(state: EgressJobReport["status"]["state"]): EgressJobReport {
	const status = { state, bytes: 0, reconnects: 0, droppedTags: 0, queueMs: 0, attempts: 0 };
	return { status, held: false };
}

/** What a book wants done, in words. */
function words(book: EgressBook): string[] {
	return book.takeEffects().map(inWords);
}

function inWords(effect: EgressEffect): string {
	switch (effect.kind) {
		case "hang-up":
			return `${effect.runnerId}: hang up`;
		case "tell-egress":
			return `${effect.jobId}: ${effect.word.kind} ${effect.word.fence}`;
		case "send":
			return `${effect.runnerId}: ${messageInWords(effect.message)}`;
	}
}

function messageInWords(message: PoolMessage): string {
	switch (message.type) {
		case "egress-start":
			return `start ${message.job.jobId} ${message.job.fence}`;
		case "egress-stop":
			return `${message.final ? "end" : "drop"} ${message.jobId} ${message.fence}`;
		default:
			return message.type;
	}
}

function bookWith(...runners: string[]): EgressBook {
	const book = new EgressBook();
	for (const runner of runners) {
		book.hello(hello(runner), 0);
	}
	return book;
}

test("without a runner there is no place, and it says that one is needed", () => {
	expect(bookWith().acquire(job(), 0)).toEqual({
		outcome: "none",
		reason: expect.stringContaining("expected a runner"),
	});
});

test("a runner of an older version, which offers no places, is given nothing", () => {
	const book = new EgressBook();
	book.hello(hello("old", 0), 0);
	expect(book.acquire(job(), 0).outcome).toBe("none");
});

test("goes to the runner with most room, and to none that is full or silent", () => {
	const book = new EgressBook();
	book.hello(hello("small", 1), 0);
	book.hello(hello("large", 2), 0);
	for (const [at, runner] of ["large", "large", "small"].entries()) {
		expect(book.acquire(job(1, `b/${at}`), 0).outcome).toBe("assigned");
		expect(words(book)).toEqual([`${runner}: start b/${at} 1`]);
	}
	expect(book.acquire(job(1, "b/more"), 0).outcome).toBe("none");
	const silent = bookWith("r");
	expect(silent.acquire(job(), SILENT_AFTER_MS).outcome).toBe("none");
	silent.heard("r", SILENT_AFTER_MS);
	expect(silent.acquire(job(), SILENT_AFTER_MS).outcome).toBe("assigned");
});

test("the same fence again is handed on to the same runner, with its new token", () => {
	const book = bookWith("r1", "r2");
	book.acquire(job(), 0);
	expect(words(book)).toEqual(["r1: start b/d 1"]);
	expect(book.acquire(job(), 100)).toEqual({ outcome: "assigned" });
	expect(words(book)).toEqual(["r1: start b/d 1"]);
});

test("a higher fence takes the job from its runner, a lower one is told of the higher", () => {
	const book = bookWith("r1");
	book.acquire(job(1), 0);
	words(book);
	expect(book.acquire(job(2), 0).outcome).toBe("assigned");
	expect(words(book)).toEqual(["r1: drop b/d 1", "r1: start b/d 2"]);
	expect(book.acquire(job(1), 0)).toEqual({ outcome: "stale", fence: 2 });
});

test("a runner that vanishes keeps its job until it has surely stopped, and only then another may have it", () => {
	const book = bookWith("r1");
	book.acquire(job(1), 0);
	words(book);
	book.gone("r1", 1_000);
	book.hello(hello("r2"), 1_000);
	expect(book.acquire(job(2), 1_000).outcome, "the old one may still publish").toBe("none");
	expect(book.nextDeadlineMs()).toBe(1_000 + EGRESS_LOST_AFTER_MS);
	book.heard("r2", 1_000 + EGRESS_LOST_AFTER_MS - 1);
	book.expire(1_000 + EGRESS_LOST_AFTER_MS - 1);
	expect(words(book)).toEqual([]);
	book.expire(1_000 + EGRESS_LOST_AFTER_MS);
	expect(words(book)).toEqual(["b/d: lost 1"]);
	expect(book.acquire(job(2), 1_000 + EGRESS_LOST_AFTER_MS).outcome).toBe("assigned");
	expect(words(book)).toEqual(["r2: start b/d 2"]);
	expect(EGRESS_LOST_AFTER_MS, "later than it stops by itself").toBeGreaterThan(EGRESS_KEPT_WITHOUT_POOL_MS);
});

test("a runner that says nothing is given up like one that vanished, and hung up on", () => {
	const book = bookWith("r1");
	book.acquire(job(), 0);
	words(book);
	book.expire(EGRESS_LOST_AFTER_MS);
	expect(words(book)).toEqual(["b/d: lost 1", "r1: hang up"]);
});

test("a runner that comes back in time goes on with what it has, and loses what it has not", () => {
	const book = bookWith("r1");
	book.acquire(job(1, "b/kept"), 0);
	book.acquire(job(1, "b/gone"), 0);
	words(book);
	book.gone("r1", 0);
	book.hello(hello("r1", 16, [{ jobId: "b/kept", fence: 1 }]), 5_000);
	expect(words(book)).toEqual(["b/gone: lost 1"]);
	book.expire(5_000 + EGRESS_LOST_AFTER_MS - 1);
	expect(words(book)).toEqual([]);
});

test("a runner that comes back too late drops what is another's", () => {
	const book = bookWith("r1");
	book.acquire(job(1), 0);
	book.gone("r1", 0);
	book.expire(EGRESS_LOST_AFTER_MS);
	book.hello(hello("r2"), EGRESS_LOST_AFTER_MS);
	book.acquire(job(2), EGRESS_LOST_AFTER_MS);
	words(book);
	book.hello(hello("r1", 16, [{ jobId: "b/d", fence: 1 }]), EGRESS_LOST_AFTER_MS);
	expect(words(book)).toEqual(["r1: drop b/d 1"]);
	book.report("r1", { type: "egress-status", jobId: "b/d", fence: 1, report: report("live") }, EGRESS_LOST_AFTER_MS);
	expect(words(book), "its word is not the Egress's business any more").toEqual(["r1: drop b/d 1"]);
});

test("hands on what the runner says, up to its last word", () => {
	const book = bookWith("r1");
	for (const [fence, last] of (["stopped", "refused"] as const).entries()) {
		book.acquire(job(fence + 1), 0);
		words(book);
		const name = { jobId: "b/d", fence: fence + 1 };
		book.report("r1", { type: "egress-status", ...name, report: report("live") }, 0);
		book.report("r1", { type: "egress-status", ...name, report: report(last) }, 0);
		expect(words(book)).toEqual([`b/d: status ${fence + 1}`, `b/d: status ${fence + 1}`]);
		expect(book.state().assignments).toEqual([]);
	}
	book.acquire(job(3), 0);
	book.report("r1", { type: "egress-lost", jobId: "b/d", fence: 3, reason: "runner stops" }, 0);
	expect(words(book)).toEqual(["r1: start b/d 3", "b/d: lost 3"]);
});

test("what nobody wants any more ends with a goodbye, also when its runner was away then", () => {
	const book = bookWith("r1");
	book.acquire(job(1), 0);
	words(book);
	book.release({ jobId: "b/d", fence: 1 });
	expect(words(book)).toEqual(["r1: end b/d 1"]);
	book.report("r1", { type: "egress-status", jobId: "b/d", fence: 1, report: report("stopped") }, 0);
	expect(words(book)).toEqual(["b/d: status 1"]);

	book.acquire(job(2), 0);
	book.gone("r1", 0);
	words(book);
	book.release({ jobId: "b/d", fence: 2 });
	book.release({ jobId: "b/never", fence: 2 });
	expect(words(book)).toEqual([]);
	book.hello(hello("r1", 16, [{ jobId: "b/d", fence: 2 }]), 1_000);
	expect(words(book)).toEqual(["r1: end b/d 2"]);
});

test("is the same after it was stored, and stores neither address nor token", () => {
	const book = bookWith("r1", "r2");
	book.acquire(job(), 0);
	expect(book.takeChanged()).toBe(true);
	expect(book.takeChanged()).toBe(false);
	book.heard("r1", 100);
	expect(book.takeChanged(), "a heartbeat is no change").toBe(false);
	const stored = JSON.stringify(book.state());
	expect(stored).not.toContain(SECRET);
	const restored = new EgressBook(JSON.parse(stored) as EgressBookState, new Set(["r2"]), 50_000);
	expect(restored.acquire(job(2), 50_000).outcome, "its runner has yet to come back").toBe("none");
	restored.expire(50_000 + EGRESS_LOST_AFTER_MS);
	expect(words(restored)).toContain("b/d: lost 1");
});
