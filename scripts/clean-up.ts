/** What a command has to undo when it ends, however it ends: latest first. */
export class CleanUp {
	readonly #undo: (() => Promise<void> | void)[] = [];

	add(undo: () => Promise<void> | void): void {
		this.#undo.push(undo);
	}

	/** Runs `work`, prints what it throws and makes the exit code say so, and undoes everything in any case. */
	async around(work: () => Promise<void>): Promise<void> {
		try {
			await work();
		} catch (error) {
			console.error(error);
			process.exitCode = 1;
		} finally {
			for (const undo of this.#undo.reverse()) {
				await undo();
			}
		}
	}
}
