/** What the system and the process that runs the Worker say to each other, over Node's own channel between parent and child. */

export interface WorkerSettings {
	readonly host: string;
	readonly port: number;
	/** Where Durable Objects and D1 keep what they store. */
	readonly persistFolder: string;
	readonly vars: Readonly<Record<string, string>>;
	/** How many times the Worker's usual limits on how often somebody may ask hold here. */
	readonly rateLimitFactor: number;
	/** Travel over the channel only: neither arguments nor environment of any process hold them. */
	readonly secrets: Readonly<Record<string, string>>;
}

export type ToWorkerProcess = { readonly type: "start"; readonly settings: WorkerSettings } | { readonly type: "stop" };

export type FromWorkerProcess =
	| { readonly type: "ready" }
	| { readonly type: "failed"; readonly reason: string }
	| { readonly type: "log"; readonly level: string; readonly text: string };
