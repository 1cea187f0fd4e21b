import { runInDurableObject } from "cloudflare:test";

/** What a deploy does to an object: gone with its sockets, without a word. The next call makes the one that takes its place. */
export async function replaceObject(stub: DurableObjectStub): Promise<void> {
	await runInDurableObject(stub, (_object, state) => {
		state.abort("test: replaced");
	}).catch(() => {
		// The call dies with the object it was made to.
	});
}
