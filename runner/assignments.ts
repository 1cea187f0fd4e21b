import type {
	CompositorAssignment,
	CompositorPageStatus,
	PoolMessage,
	RunnerMessage,
} from "../worker/protocol/pool-messages.ts";
import { type Log, logWith, messageOf } from "./log.ts";

type Assign = Extract<PoolMessage, { type: "assign" }>;
type LeaseReport = Extract<RunnerMessage, { type: "heartbeat" }>["leases"][number];

/** The runner message's own limit (worker/protocol/pool-messages.ts). */
const MAX_REASON_CHARS = 500;

/** What an assignment needs of its browser. */
export interface AssignedBrowser {
	readonly gone: Promise<string>;
	start(assignment: CompositorAssignment): Promise<void>;
	/** Rejects when the page does not answer in time. */
	status(): Promise<CompositorPageStatus>;
	close(): Promise<void>;
}

export interface AssignmentsOptions {
	readonly apiUrl: string;
	readonly capacity: number;
	readonly takeBrowser: () => Promise<AssignedBrowser>;
	/** An assignment has ended, on request or by itself; its browser is being closed. */
	readonly onReleased: (leaseId: string, reason: string) => void;
	readonly log: Log;
}

interface Assignment {
	readonly leaseId: string;
	/** Says of every entry what it belongs to. */
	readonly log: Log;
	/** Absent until there is one. */
	browser?: AssignedBrowser;
	state: LeaseReport["state"];
	programFrames: number;
	/** A status question is under way. */
	asking: boolean;
}

/** The compositors this runner runs: each a lease with a browser of its own. Whatever goes wrong with one ends that one, with the reason. */
export class Assignments {
	readonly #options: AssignmentsOptions;
	readonly #running = new Map<string, Assignment>();
	readonly #ending = new Set<Promise<void>>();

	constructor(options: AssignmentsOptions) {
		this.#options = options;
	}

	/** For `hello`. */
	leaseIds(): string[] {
		return [...this.#running.keys()];
	}

	/** For `heartbeat`. */
	leases(): LeaseReport[] {
		return [...this.#running.values()].map(({ leaseId, state, programFrames }) => ({ leaseId, state, programFrames }));
	}

	/** Resolves when the assignment is with its page, or has ended. An assignment that is already here is left alone. Never rejects. */
	async assign(message: Assign): Promise<void> {
		if (this.#running.has(message.leaseId)) {
			return;
		}
		if (this.#running.size >= this.#options.capacity) {
			this.#options.onReleased(
				message.leaseId,
				`runner: expected a free place, got ${this.#running.size} of them taken`,
			);
			return;
		}
		const { leaseId, broadcastId, requestId, fence } = message;
		const log = logWith(this.#options.log, { leaseId, broadcastId, requestId });
		const assignment: Assignment = { leaseId, log, state: "starting", programFrames: 0, asking: false };
		this.#running.set(leaseId, assignment);
		log(`assigned broadcast ${broadcastId}, fence ${fence}`);
		try {
			await this.#begin(assignment, message);
		} catch (error) {
			this.#end(assignment, messageOf(error));
		}
	}

	/** Ends one assignment on the pool's request; unknown leases are answered all the same, so that the pool may forget them. */
	release(leaseId: string): void {
		const assignment = this.#running.get(leaseId);
		if (assignment === undefined) {
			this.#options.onReleased(leaseId, "runner: not one of its leases");
			return;
		}
		this.#end(assignment, "released");
	}

	/** Asks every page how it is. Pages still thinking about the last question are not asked again. */
	async poll(): Promise<void> {
		await Promise.all([...this.#running.values()].map((assignment) => this.#ask(assignment)));
	}

	/** Ends all of them; resolves when every browser is gone. */
	async close(reason: string): Promise<void> {
		for (const assignment of [...this.#running.values()]) {
			this.#end(assignment, reason);
		}
		await Promise.all(this.#ending);
	}

	async #begin(assignment: Assignment, { broadcastId, fence, token, requestId }: Assign): Promise<void> {
		const browser = await this.#options.takeBrowser();
		if (this.#running.get(assignment.leaseId) !== assignment) {
			this.#close(browser);
			return;
		}
		assignment.browser = browser;
		browser.gone.then((reason) => this.#end(assignment, reason));
		const request = requestId === undefined ? {} : { requestId };
		await browser.start({ apiUrl: this.#options.apiUrl, broadcastId, fence, token, ...request });
	}

	async #ask(assignment: Assignment): Promise<void> {
		if (assignment.browser === undefined || assignment.asking) {
			return;
		}
		assignment.asking = true;
		try {
			const status = await assignment.browser.status();
			assignment.programFrames = status.programFrames;
			if (status.state === "running") {
				assignment.state = "running";
			} else if (status.state === "failed" || status.state === "closed") {
				this.#end(assignment, status.reason ?? `page ${status.state}`);
			}
		} catch (error) {
			this.#end(assignment, messageOf(error));
		} finally {
			assignment.asking = false;
		}
	}

	/** The one way an assignment ends; later calls for the same one do nothing. */
	#end(assignment: Assignment, reason: string): void {
		if (this.#running.get(assignment.leaseId) !== assignment) {
			return;
		}
		this.#running.delete(assignment.leaseId);
		assignment.log(`lease ${assignment.leaseId} ended: ${reason}`);
		if (assignment.browser !== undefined) {
			this.#close(assignment.browser);
		}
		this.#options.onReleased(assignment.leaseId, reason.slice(0, MAX_REASON_CHARS));
	}

	#close(browser: AssignedBrowser): void {
		const ending = browser
			.close()
			.catch((error: unknown) => this.#options.log(`browser did not close: ${messageOf(error)}`))
			.finally(() => this.#ending.delete(ending));
		this.#ending.add(ending);
	}
}
