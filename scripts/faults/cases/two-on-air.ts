import type { Stage } from "../stage.ts";

/** Resolves when host and guest are on air, composed, and the stream has settled. */
export async function twoOnAir(stage: Stage): Promise<void> {
	await stage.prepare("guest");
	await stage.goLive();
	await stage.publish("guest", "guest");
	await stage.publish("host", "host");
	await stage.untilProgramIs("composite");
	await stage.settle();
}
