const POLL_EVERY_MS = 100;

/** Asks again and again until the answer is not `undefined`. Throws, naming what was expected, when `timeoutMs` is over. */
export async function waitFor<T>(
	expected: string,
	timeoutMs: number,
	ask: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
	const deadlineMs = performance.now() + timeoutMs;
	let lastError: unknown;
	while (performance.now() < deadlineMs) {
		try {
			const answer = await ask();
			if (answer !== undefined) {
				return answer;
			}
			lastError = undefined;
		} catch (error) {
			lastError = error;
		}
		await new Promise((resolve) => setTimeout(resolve, POLL_EVERY_MS));
	}
	throw new Error(`expected ${expected} within ${timeoutMs} ms, got nothing`, { cause: lastError });
}
