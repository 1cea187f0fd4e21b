import { describe, expect, it } from "vitest";
import { SCRAPE_WITHIN_MS, type ScrapePorts, scrape } from "../../../worker/metrics/scrape.ts";
import type { BroadcastStats } from "../../../worker/protocol/broadcast-commands.ts";
import { done, refused } from "../../../worker/protocol/problem.ts";

const STATS = { status: "live" } as BroadcastStats;
const POOL = { runners: 1, capacity: 2, freePlaces: 1, leases: 1, waiting: 0 };
const never = () => new Promise<never>(() => {});

function ports(change: Partial<ScrapePorts> = {}): ScrapePorts & { reported: string[] } {
	const reported: string[] = [];
	return {
		stats: async () => done(STATS),
		pool: async () => POOL,
		delay: never,
		report: ({ broadcastId = "pool" }) => reported.push(broadcastId),
		reported,
		...change,
	};
}

describe("collecting figures", () => {
	it("asks some objects at a time, and gives their answers in order", async () => {
		const ids = Array.from({ length: 100 }, (_, index) => `b${index}`);
		let asked = 0;
		let most = 0;
		const scraped = await scrape(
			ids,
			ports({
				stats: async () => {
					asked += 1;
					most = Math.max(most, asked);
					await Promise.resolve();
					asked -= 1;
					return done(STATS);
				},
			}),
		);
		expect(scraped.broadcasts).toEqual(ids.map((id) => ({ id, stats: STATS })));
		expect(scraped.pool).toEqual(POOL);
		expect(most).toBe(16);
	});

	it("names what fails, leaves out what is no more, and goes on", async () => {
		const subject = ports({
			stats: async (id) => {
				if (id === "broken") {
					throw new Error("it broke");
				}
				return id === "gone" ? refused("not-found", "expected one") : done(STATS);
			},
			pool: () => Promise.reject(new Error("it broke")),
		});
		const scraped = await scrape(["broken", "gone", "well"], subject);
		expect(scraped.broadcasts).toEqual([
			{ id: "broken", stats: undefined },
			{ id: "well", stats: STATS },
		]);
		expect(scraped.pool).toBeUndefined();
		expect(subject.reported.toSorted()).toEqual(["broken", "pool"]);
	});

	it("waits no longer than it may for those that hang", async () => {
		const waits: number[] = [];
		const timeUp = Promise.withResolvers<void>();
		const scraped = scrape(
			["hangs", "well"],
			ports({
				stats: (id) => (id === "hangs" ? never() : Promise.resolve(done(STATS))),
				pool: never,
				delay: (ms) => {
					waits.push(ms);
					return timeUp.promise;
				},
			}),
		);
		timeUp.resolve();
		expect(await scraped).toEqual({
			broadcasts: [
				{ id: "hangs", stats: undefined },
				{ id: "well", stats: STATS },
			],
			pool: undefined,
		});
		expect(waits).toEqual([SCRAPE_WITHIN_MS]);
	});
});
