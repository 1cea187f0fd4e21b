import { createRoute } from "@hono/zod-openapi";
import { BroadcastTable } from "../broadcast/broadcast-index.ts";
import { createLog } from "../log.ts";
import { broadcastMetrics } from "../metrics/broadcast-metrics.ts";
import { deploymentMetrics } from "../metrics/deployment-metrics.ts";
import { OPENMETRICS_CONTENT_TYPE, openMetricsText } from "../metrics/openmetrics.ts";
import { MAX_SCRAPED_BROADCASTS, scrape } from "../metrics/scrape.ts";
import { DEFAULT_POOL_NAME } from "../protocol/object-rpc.ts";
import { newApiApp, PROBLEM_ANSWER, SECURED } from "./api-app.ts";
import { valueFrom } from "./api-problem.ts";
import { idParamSchema } from "./broadcasts.ts";
import { allow, broadcastIdOf, broadcastOf } from "./guard.ts";

const log = createLog("metrics");

const METRICS_ANSWER = {
	200: { description: "OpenMetrics 1.0", content: { [OPENMETRICS_CONTENT_TYPE]: { schema: { type: "string" } } } },
	default: PROBLEM_ANSWER,
} as const;

const HEADERS = { "Content-Type": OPENMETRICS_CONTENT_TYPE, "Cache-Control": "no-store" };

export const broadcastMetricsRoute = newApiApp().openapi(
	createRoute({
		method: "get",
		path: "/{id}/metrics",
		summary: "Figures of one broadcast, as OpenMetrics text",
		security: SECURED,
		middleware: [allow("stats")] as const,
		request: { params: idParamSchema },
		responses: METRICS_ANSWER,
	}),
	async (c) => {
		const stats = valueFrom(await broadcastOf(c).stats());
		return c.body(openMetricsText(broadcastMetrics([{ id: broadcastIdOf(c), stats }])), 200, HEADERS);
	},
);

/** The deployment's figures, for a monitoring system to collect. */
export const metrics = newApiApp().openapi(
	createRoute({
		method: "get",
		path: "/metrics",
		summary: "Figures of the deployment, as OpenMetrics text",
		description: `With those of at most ${MAX_SCRAPED_BROADCASTS} live broadcasts; \`tandem_scrape_left_out_broadcasts\` says how many more there are, and \`tandem_scrape_unanswered\` names what did not answer in time.`,
		security: SECURED,
		middleware: [allow("manage")] as const,
		responses: METRICS_ANSWER,
	}),
	async (c) => {
		const table = new BroadcastTable(c.env.INDEX);
		const [counts, live] = await Promise.all([
			table.counts(),
			table.list({ statuses: ["live"], order: "newest", limit: MAX_SCRAPED_BROADCASTS }),
		]);
		const ids = live.map(({ id }) => id);
		const { broadcasts, pool } = await scrape(ids, {
			stats: (id) => c.env.BROADCAST.getByName(id).stats(),
			pool: () => c.env.COMPOSITOR_POOL.getByName(DEFAULT_POOL_NAME).stats(),
			delay: (ms, signal) => scheduler.wait(ms, { signal }),
			report: (part, error) => log.warn("no figures", { requestId: c.var.requestId, ...part, error }),
		});
		const leftOut = Math.max(0, counts.live - ids.length);
		return c.body(
			openMetricsText([...deploymentMetrics({ counts, pool, leftOut }), ...broadcastMetrics(broadcasts)]),
			200,
			HEADERS,
		);
	},
);
