/**
 * The promise's outcome, or an error once `timeoutMs` have passed. The promise itself goes on, so only wait this way for what may be
 * left to end by itself.
 */
export async function bounded<T>(promise: Promise<T>, timeoutMs: number, what: string): Promise<T> {
	let timer: ReturnType<typeof setTimeout> | undefined;
	const expiry = new Promise<never>((_resolve, reject) => {
		timer = setTimeout(() => reject(new Error(`runner: expected ${what} within ${timeoutMs} ms`)), timeoutMs);
	});
	try {
		return await Promise.race([promise, expiry]);
	} finally {
		clearTimeout(timer);
	}
}
