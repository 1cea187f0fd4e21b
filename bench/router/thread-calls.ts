import { parentPort, Worker } from "node:worker_threads";

/** What can be asked of a thread: methods with one argument or none, whose answers can be cloned. */
// biome-ignore lint/suspicious/noExplicitAny: what an argument is each method says for itself
export type Calls<C> = { readonly [Name in keyof C]: (argument: any) => unknown };

interface Asked {
	readonly id: number;
	readonly name: string;
	readonly argument: unknown;
}
type Answered = { readonly id: number; readonly answer: unknown } | { readonly id: number; readonly error: string };

/** A thread with a core of its own as far as there is one; what it does does not hold up whoever measures. */
export class CalledThread<C extends Calls<C>> implements AsyncDisposable {
	readonly #worker: Worker;
	readonly #asked = new Map<number, PromiseWithResolvers<unknown>>();
	#lastId = 0;
	#ended: Error | undefined;

	/** @param module calls {@link answerCalls} with what it makes of `data` */
	constructor(module: URL, data?: unknown) {
		this.#worker = new Worker(module, { workerData: data });
		this.#worker.on("message", (answered: Answered) => this.#take(answered));
		this.#worker.on("error", (error) => this.#end(error instanceof Error ? error : new Error(String(error))));
		this.#worker.on("exit", () => this.#end(new Error(`${module.pathname}: the thread has ended`)));
	}

	async call<Name extends keyof C & string>(
		name: Name,
		...[argument]: Parameters<C[Name]>
	): Promise<Awaited<ReturnType<C[Name]>>> {
		if (this.#ended !== undefined) {
			throw this.#ended;
		}
		const id = ++this.#lastId;
		const waiting = Promise.withResolvers<unknown>();
		this.#asked.set(id, waiting);
		this.#worker.postMessage({ id, name, argument } satisfies Asked);
		return (await waiting.promise) as Awaited<ReturnType<C[Name]>>;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#worker.terminate();
	}

	#take(answered: Answered): void {
		const waiting = this.#asked.get(answered.id);
		this.#asked.delete(answered.id);
		if ("error" in answered) {
			waiting?.reject(new Error(answered.error));
		} else {
			waiting?.resolve(answered.answer);
		}
	}

	#end(error: Error): void {
		this.#ended ??= error;
		for (const waiting of this.#asked.values()) {
			waiting.reject(this.#ended);
		}
		this.#asked.clear();
	}
}

/** Answers what this thread is asked. */
export function answerCalls<C extends Calls<C>>(calls: C): void {
	const port = parentPort;
	if (port === null) {
		throw new Error("thread: expected to be a worker thread, got the main one");
	}
	port.on("message", ({ id, name, argument }: Asked) => {
		const reply = (answered: Answered) => port.postMessage(answered);
		const call = calls[name as keyof C];
		Promise.resolve()
			.then(() => call(argument))
			.then(
				(answer) => reply({ id, answer }),
				(error: unknown) => reply({ id, error: error instanceof Error ? error.message : String(error) }),
			);
	});
}
