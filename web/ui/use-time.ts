import { useEffect, useState } from "preact/hooks";

/** The time, anew every so often while the component is there. */
export function useNow(everyMs = 1_000): number {
	const [nowMs, setNowMs] = useState(() => Date.now());
	useEffect(() => {
		const timer = setInterval(() => setNowMs(Date.now()), everyMs);
		return () => clearInterval(timer);
	}, [everyMs]);
	return nowMs;
}

/** What `ask` answered last, asked anew every so often while the page is seen, and whenever `again` is called. What fails is asked again later. */
export function usePolled<T>(
	ask: (() => Promise<T>) | undefined,
	everyMs: number,
): { readonly value: T | undefined; readonly error: unknown; again(): void } {
	const [answer, setAnswer] = useState<{ value?: T; error?: unknown }>({});
	const [round, setRound] = useState(0);
	useEffect(() => {
		if (ask === undefined) {
			return;
		}
		let over = false;
		let timer: ReturnType<typeof setTimeout> | undefined;
		let asked = false;
		const next = async () => {
			if (!document.hidden || !asked) {
				asked = true;
				try {
					const value = await ask();
					if (!over) {
						setAnswer({ value });
					}
				} catch (error) {
					if (!over) {
						setAnswer((before) => ({ ...before, error }));
					}
				}
			}
			if (!over) {
				timer = setTimeout(next, everyMs);
			}
		};
		void next();
		return () => {
			over = true;
			clearTimeout(timer);
		};
	}, [ask, everyMs, round]);
	return { value: answer.value, error: answer.error, again: () => setRound((before) => before + 1) };
}
