import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { usageOf } from "../../scripts/process-usage.ts";
import { type Audience, listenerIds, type Relay } from "./relay.ts";

const MODULE = fileURLToPath(new URL("./node-relay-process.ts", import.meta.url));

/** A plain relay of WebSocket messages, in a Node process of its own. */
export async function startNodeRelay({ listeners, withStuck }: Audience): Promise<Relay> {
	const child = fork(MODULE, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
	const exited = once(child, "exit");
	const [port] = await Promise.race([
		once(child, "message"),
		exited.then(([code]) => {
			throw new Error(`relay: expected it to listen, got exit code ${code}`);
		}),
	]);
	const ids = listenerIds(listeners);
	const subscription = (id: string, stuck: boolean) => ({
		id,
		url: `ws://127.0.0.1:${port}/subscribe`,
		acknowledges: false,
		stuck,
	});
	return {
		publish: { kind: "websocket", url: `ws://127.0.0.1:${port}/publish`, acknowledged: false },
		subscriptions: [...ids.map((id) => subscription(id, false)), ...(withStuck ? [subscription("stuck", true)] : [])],
		listeners: ids,
		usage: () => usageOf(child.pid ?? -1, /./),
		async [Symbol.asyncDispose]() {
			child.kill("SIGKILL");
			await exited;
		},
	};
}
