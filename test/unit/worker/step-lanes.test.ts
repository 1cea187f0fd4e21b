import { expect, test } from "vitest";
import { StepLanes } from "../../../worker/broadcast/step-lanes.ts";

/** Lanes with a list of steps each, which succeed, fail or wait as a test says. */
class Fellows {
	readonly todo = new Map<string, string[]>();
	readonly ran: string[] = [];
	readonly failing = new Set<string>();
	readonly waiting = new Map<string, PromiseWithResolvers<void>>();

	readonly lanes = new StepLanes<string>({
		next: (lane) => this.todo.get(lane)?.[0],
		run: async (step) => {
			this.ran.push(step);
			await this.waiting.get(step)?.promise;
			if (this.failing.has(step)) {
				return false;
			}
			for (const steps of this.todo.values()) {
				if (steps[0] === step) {
					steps.shift();
				}
			}
			return true;
		},
	});

	hold(step: string): PromiseWithResolvers<void> {
		const hold = Promise.withResolvers<void>();
		this.waiting.set(step, hold);
		return hold;
	}
}

test("the steps of a lane follow each other, and stop at the first that fails", async () => {
	const fellows = new Fellows();
	fellows.todo.set("a", ["a1", "a2", "a3"]);
	fellows.failing.add("a2");
	expect(await fellows.lanes.drain("a", 0)).toBe(false);
	expect(fellows.ran).toEqual(["a1", "a2"]);
	expect(fellows.lanes.busy).toBe(false);
	fellows.failing.clear();
	expect(await fellows.lanes.drain("a", 0)).toBe(true);
	expect(fellows.ran).toEqual(["a1", "a2", "a2", "a3"]);
});

test("a lane that hangs holds up no other", async () => {
	const fellows = new Fellows();
	fellows.todo.set("a", ["a1"]).set("b", ["b1"]);
	const held = fellows.hold("a1");
	const hanging = fellows.lanes.drain("a", 0);
	expect(await fellows.lanes.drain("b", 0)).toBe(true);
	expect(fellows.lanes.busy).toBe(true);
	held.resolve();
	expect(await hanging).toBe(true);
});

test("what fails in a busy lane is tried once more for whoever asked meanwhile, but not for whoever only joined", async () => {
	for (const [ask, tries] of [
		["drain", 2],
		["join", 1],
	] as const) {
		const fellows = new Fellows();
		fellows.todo.set("a", ["a1"]);
		fellows.failing.add("a1");
		const held = fellows.hold("a1");
		const both = Promise.all([fellows.lanes.drain("a", 0), fellows.lanes[ask]("a", 1)]);
		held.resolve();
		expect(await both).toEqual([false, false]);
		expect(fellows.ran.length).toBe(tries);
	}
});

test("a step that never comes to an end of its kind is given up", async () => {
	const lanes = new StepLanes<string>({ next: () => "again", run: async () => true });
	expect(await lanes.drain("a", 0)).toBe(false);
});
