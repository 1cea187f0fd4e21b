/** Works tasks off one after the other, in the order they came; a task that fails does not hold up the next. */
export class Turns {
	#last: Promise<unknown> = Promise.resolve();

	take<Result>(task: () => Promise<Result>): Promise<Result> {
		const turn = this.#last.then(task);
		// The one who asked gets the error from `turn`; here it only marks the end of the task.
		this.#last = turn.catch(() => undefined);
		return turn;
	}
}
