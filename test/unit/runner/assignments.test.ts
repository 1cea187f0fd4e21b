import { beforeEach, describe, expect, it } from "vitest";
import { type AssignedBrowser, Assignments } from "../../../runner/assignments.ts";
import type { CompositorAssignment, CompositorPageStatus } from "../../../worker/protocol/pool-messages.ts";

class FakeBrowser implements AssignedBrowser {
	readonly #gone = Promise.withResolvers<string>();
	readonly gone = this.#gone.promise;
	readonly started: CompositorAssignment[] = [];
	answer: () => Promise<CompositorPageStatus> = async () => ({ state: "starting", programFrames: 0 });
	asked = 0;
	closed = 0;

	async start(assignment: CompositorAssignment): Promise<void> {
		this.started.push(assignment);
	}
	status(): Promise<CompositorPageStatus> {
		this.asked += 1;
		return this.answer();
	}
	async close(): Promise<void> {
		this.closed += 1;
	}
	async die(reason: string): Promise<void> {
		this.#gone.resolve(reason);
		await this.#gone.promise;
	}
}

const TOKEN = "the-token";
let browsers: FakeBrowser[];
let released: string[];
let lines: string[];

beforeEach(() => {
	browsers = [];
	released = [];
	lines = [];
});

function subjectWith(takeBrowser = async (): Promise<AssignedBrowser> => newBrowser()): Assignments {
	return new Assignments({
		apiUrl: "http://edge",
		capacity: 2,
		takeBrowser,
		onReleased: (leaseId, reason) => released.push(`${leaseId}: ${reason}`),
		log: (line) => lines.push(line),
	});
}

function newBrowser(): FakeBrowser {
	const browser = new FakeBrowser();
	browsers.push(browser);
	return browser;
}

function lease(leaseId: string) {
	return { type: "assign" as const, leaseId, broadcastId: "b", fence: 3, token: TOKEN };
}

describe("the runner's assignments", () => {
	it("hand broadcast, fence and token to a browser, and keep the token out of the log", async () => {
		const subject = subjectWith();
		await subject.assign(lease("l1"));
		expect(browsers[0]?.started).toEqual([{ apiUrl: "http://edge", broadcastId: "b", fence: 3, token: TOKEN }]);
		expect(subject.leaseIds()).toEqual(["l1"]);
		expect(lines.join()).not.toContain(TOKEN);
	});

	it("hand on the id of the request they come of, and log with it", async () => {
		const entries: unknown[] = [];
		const subject = new Assignments({
			apiUrl: "http://edge",
			capacity: 1,
			takeBrowser: async () => newBrowser(),
			onReleased: () => {},
			log: (_line, fields) => entries.push(fields),
		});
		await subject.assign({ ...lease("l1"), requestId: "r" });
		expect(browsers[0]?.started).toMatchObject([{ requestId: "r" }]);
		subject.release("l1");
		const ofLease = { leaseId: "l1", broadcastId: "b", requestId: "r" };
		expect(entries).toEqual([ofLease, ofLease]);
	});

	it("report each page's frames, and running once it runs", async () => {
		const subject = subjectWith();
		await subject.assign(lease("l1"));
		await subject.poll();
		expect(subject.leases()).toEqual([{ leaseId: "l1", state: "starting", programFrames: 0 }]);
		const [browser] = browsers as [FakeBrowser];
		browser.answer = async () => ({ state: "running", programFrames: 30 });
		await subject.poll();
		expect(subject.leases()).toEqual([{ leaseId: "l1", state: "running", programFrames: 30 }]);
	});

	it("end once and close the browser, however often they are released", async () => {
		const subject = subjectWith();
		await subject.assign(lease("l1"));
		subject.release("l1");
		await browsers[0]?.die("browser ended");
		expect(released).toEqual(["l1: released"]);
		expect(browsers[0]?.closed).toBe(1);
	});

	it("end with the reason when the browser dies, the page fails or does not answer", async () => {
		const subject = subjectWith();
		await subject.assign(lease("dies"));
		await subject.assign(lease("fails"));
		const [dies, fails] = browsers as [FakeBrowser, FakeBrowser];
		fails.answer = async () => ({ state: "failed", programFrames: 9, reason: "no encoder" });
		await subject.poll();
		await dies.die("browser ended with SIGKILL");
		await subject.assign(lease("stuck"));
		const stuck = browsers[2] as FakeBrowser;
		stuck.answer = async () => {
			throw new Error("runner: expected the page to say how it is within 3000 ms");
		};
		await subject.poll();
		expect(released).toEqual([
			"fails: no encoder",
			"dies: browser ended with SIGKILL",
			"stuck: runner: expected the page to say how it is within 3000 ms",
		]);
		expect(subject.leases()).toEqual([]);
		expect(browsers.map((browser) => browser.closed)).toEqual([1, 1, 1]);
	});

	it("do not ask a page again that still thinks about the last question", async () => {
		const subject = subjectWith();
		await subject.assign(lease("l1"));
		const answer = Promise.withResolvers<CompositorPageStatus>();
		const [browser] = browsers as [FakeBrowser];
		browser.answer = () => answer.promise;
		const first = subject.poll();
		await subject.poll();
		expect(browser.asked).toBe(1);
		answer.resolve({ state: "running", programFrames: 1 });
		await first;
	});

	it("refuse one more than there are places, and leave the others alone", async () => {
		const subject = subjectWith();
		await subject.assign(lease("l1"));
		await subject.assign(lease("l2"));
		await subject.assign(lease("l3"));
		expect(released).toEqual(["l3: runner: expected a free place, got 2 of them taken"]);
		expect(subject.leaseIds()).toEqual(["l1", "l2"]);
	});

	it("take the same assignment twice for one", async () => {
		const subject = subjectWith();
		await subject.assign(lease("l1"));
		await subject.assign(lease("l1"));
		expect(browsers).toHaveLength(1);
	});

	it("close a browser that comes after its release", async () => {
		const late = Promise.withResolvers<AssignedBrowser>();
		const subject = subjectWith(() => late.promise);
		const assigning = subject.assign(lease("l1"));
		subject.release("l1");
		late.resolve(newBrowser());
		await assigning;
		expect(browsers[0]?.started).toEqual([]);
		expect(browsers[0]?.closed).toBe(1);
		expect(released).toEqual(["l1: released"]);
	});

	it("end when no browser can be had, and answer for leases they do not know", async () => {
		const subject = subjectWith(async () => {
			throw new Error("browser pool: closed");
		});
		await subject.assign(lease("l1"));
		subject.release("l2");
		expect(released).toEqual(["l1: browser pool: closed", "l2: runner: not one of its leases"]);
	});
});
