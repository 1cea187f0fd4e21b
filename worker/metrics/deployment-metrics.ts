import { BROADCAST_STATUSES, type BroadcastStatus } from "../protocol/broadcast-commands.ts";
import type { PoolStats } from "../protocol/object-rpc.ts";
import { described, FamilyTable } from "./family-table.ts";
import type { MetricFamily } from "./openmetrics.ts";

const DEPLOYMENT_FAMILIES = {
	tandem_broadcasts: described("gauge", "Broadcasts in each status, as the list knows them"),
	tandem_pool_runners: described("gauge", "Runners connected"),
	tandem_pool_capacity: described("gauge", "Compositors that the connected runners can run at once"),
	tandem_pool_free_places: described("gauge", "Of those, how many more"),
	tandem_pool_leases: described("gauge", "Compositors leased"),
	tandem_pool_waiting: described("gauge", "Broadcasts that wait for a compositor"),
	tandem_scrape_left_out_broadcasts: described("gauge", "Live broadcasts beyond those whose figures are here"),
	tandem_scrape_pool_unanswered: described(
		"gauge",
		"1 when the pool did not answer in time, and its figures are missing",
	),
} as const;

/** The figures of the deployment as a whole. */
export function deploymentMetrics(figures: {
	readonly counts: Readonly<Record<BroadcastStatus, number>>;
	readonly pool: PoolStats | undefined;
	readonly leftOut: number;
}): MetricFamily[] {
	const { counts, pool, leftOut } = figures;
	const table = new FamilyTable<keyof typeof DEPLOYMENT_FAMILIES>(DEPLOYMENT_FAMILIES);
	for (const status of BROADCAST_STATUSES) {
		table.add("tandem_broadcasts", { status }, counts[status]);
	}
	table.add("tandem_pool_runners", {}, pool?.runners);
	table.add("tandem_pool_capacity", {}, pool?.capacity);
	table.add("tandem_pool_free_places", {}, pool?.freePlaces);
	table.add("tandem_pool_leases", {}, pool?.leases);
	table.add("tandem_pool_waiting", {}, pool?.waiting);
	table.add("tandem_scrape_left_out_broadcasts", {}, leftOut);
	table.add("tandem_scrape_pool_unanswered", {}, pool === undefined);
	return table.families();
}
