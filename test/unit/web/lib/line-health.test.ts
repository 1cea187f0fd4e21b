import { describe, expect, test } from "vitest";
import {
	LineHealth,
	LOST_AFTER_MS,
	RESTART_DISCONNECTED_AFTER_MS,
	RESTART_SPACING_MS,
	RETRY_EVERY_MS,
	SILENT_AFTER_MS,
	SILENT_AGAIN_AFTER_MS,
} from "../../../../web/lib/peers/line-health.ts";

const START_MS = 1_000;

function connected(): LineHealth {
	const health = new LineHealth(START_MS);
	health.changed("connecting", START_MS);
	health.changed("connected", START_MS + 500);
	return health;
}

describe("LineHealth", () => {
	test("is lost when it has not come about in time, and connected whenever it does", () => {
		const health = new LineHealth(START_MS);
		expect(health.nextMs(START_MS)).toBe(START_MS + LOST_AFTER_MS);
		expect(health.state(START_MS + LOST_AFTER_MS - 1)).toBe("connecting");
		expect(health.state(START_MS + LOST_AFTER_MS)).toBe("lost");
		health.changed("connected", 60_000);
		expect(health.state(60_000)).toBe("connected");
		expect(health.nextMs(60_000)).toBeUndefined();
	});

	test("waits for a disconnected line, then looks for new ways, then does without", () => {
		const health = connected();
		health.changed("disconnected", 10_000);
		expect(health.state(10_000)).toBe("interrupted");
		expect(health.nextMs(10_000)).toBe(10_000 + RESTART_DISCONNECTED_AFTER_MS);
		expect(health.takeRestart(10_000 + RESTART_DISCONNECTED_AFTER_MS - 1)).toBe(false);
		expect(health.takeRestart(10_000 + RESTART_DISCONNECTED_AFTER_MS)).toBe(true);
		expect(health.takeRestart(10_000 + RESTART_DISCONNECTED_AFTER_MS)).toBe(false);
		expect(health.state(10_000 + LOST_AFTER_MS)).toBe("lost");
		health.changed("connected", 20_000);
		expect(health.state(20_000)).toBe("connected");
		health.changed("disconnected", 21_000);
		expect(health.state(21_000)).toBe("interrupted");
		expect(health.takeRestart(21_000 + RESTART_DISCONNECTED_AFTER_MS)).toBe(true);
	});

	test("counts for lost as soon as it has failed, however it goes on, and is tried again at once and then now and then", () => {
		const health = connected();
		health.changed("failed", 10_000);
		expect(health.state(10_000)).toBe("lost");
		expect(health.takeRestart(10_000)).toBe(true);
		health.changed("connecting", 10_100);
		expect(health.state(10_100)).toBe("lost");
		health.changed("failed", 20_000);
		expect(health.takeRestart(20_000)).toBe(false);
		expect(health.nextMs(20_000)).toBe(10_000 + RETRY_EVERY_MS);
		expect(health.takeRestart(10_000 + RETRY_EVERY_MS)).toBe(true);
	});

	test("looks for new ways on another network, working or not, and once for all the events that tell of it", () => {
		const health = connected();
		health.networkChanged(10_000);
		expect(health.takeRestart(10_000)).toBe(true);
		expect(health.state(10_000)).toBe("connected");
		health.networkChanged(10_010);
		expect(health.takeRestart(10_010)).toBe(false);
		expect(health.nextMs(10_010)).toBe(10_000 + RESTART_SPACING_MS);
		expect(health.takeRestart(10_000 + RESTART_SPACING_MS)).toBe(true);
		expect(health.nextMs(20_000)).toBeUndefined();
	});

	test("looks for new ways when nothing comes any more, though ICE has not noticed, and now and then while that lasts", () => {
		const health = connected();
		health.received(5_000, 10_000);
		health.received(5_000, 10_000 + SILENT_AFTER_MS - 1);
		expect(health.takeRestart(10_000 + SILENT_AFTER_MS - 1)).toBe(false);
		const silentMs = 10_000 + SILENT_AFTER_MS;
		health.received(5_000, silentMs);
		expect(health.takeRestart(silentMs)).toBe(true);
		expect(health.state(silentMs)).toBe("connected");
		expect(health.takeRestart(silentMs)).toBe(false);
		expect(health.nextMs(silentMs)).toBe(silentMs + SILENT_AGAIN_AFTER_MS);
		health.received(5_000, silentMs + SILENT_AGAIN_AFTER_MS);
		expect(health.takeRestart(silentMs + SILENT_AGAIN_AFTER_MS)).toBe(true);
		health.received(5_001, silentMs + SILENT_AGAIN_AFTER_MS + 100);
		expect(health.nextMs(silentMs + SILENT_AGAIN_AFTER_MS + 100)).toBeUndefined();
		expect(health.takeRestart(60_000)).toBe(false);
	});

	test("what was silent before it broke is not silent when it works again", () => {
		const health = connected();
		health.received(5_000, 10_000);
		health.changed("disconnected", 10_500);
		health.changed("connected", 20_000);
		health.received(5_000, 20_100);
		expect(health.takeRestart(20_100)).toBe(false);
	});

	test("does what the peer asks for, but not what was done this moment", () => {
		const health = connected();
		health.changed("failed", 10_000);
		expect(health.takeRestart(10_000)).toBe(true);
		expect(health.takePeersRestart(10_500)).toBe(false);
		expect(health.takePeersRestart(10_000 + RESTART_SPACING_MS)).toBe(true);
	});

	test("a line that never even begins is tried again now and then", () => {
		const health = new LineHealth(START_MS);
		expect(health.takeRestart(START_MS + RETRY_EVERY_MS - 1)).toBe(false);
		expect(health.takeRestart(START_MS + RETRY_EVERY_MS)).toBe(true);
		expect(health.takeRestart(START_MS + RETRY_EVERY_MS)).toBe(false);
		expect(health.takeRestart(START_MS + 2 * RETRY_EVERY_MS)).toBe(true);
	});
});
