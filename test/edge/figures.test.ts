import { afterEach, describe, expect, it, vi } from "vitest";
import { MAX_SCRAPED_BROADCASTS } from "../../worker/metrics/scrape.ts";
import { compositorStatsSchema } from "../../worker/protocol/compositor-stats.ts";
import { type ReadFamily, readOpenMetrics } from "../support/openmetrics/reader.ts";
import { type Created, call, create, env, openSocket, problem, until } from "./api-client.ts";
import { freezeClock } from "./frozen-clock.ts";
import { RunnerPeer } from "./runner-peer.ts";

const TITLE = "Secret show of the year";
const stage = { p50: 2, p95: 4.5 };
const STATS = compositorStatsSchema.parse({
	fence: 1,
	uptimeMs: 10_000,
	compositor: "planar",
	audioEncoder: "native",
	program: {
		width: 1280,
		height: 720,
		frameRate: 30,
		layout: "landscape",
		frames: 300,
		heldFrames: 1,
		droppedFrames: 2,
		keyFrames: 5,
		videoBitrateBps: 3_000_000,
		targetBitrateBps: 3_000_000,
		audioFrames: 470,
		encodeQueue: 1,
		socketQueueBytes: 0,
	},
	latencyMs: { inputToEncodedP50: 40, inputToEncodedP95: 50 },
	avSkewMs: -12,
	stagesMs: { decode: stage, composite: stage, encode: stage, mix: stage },
	people: [
		{
			id: "host",
			connected: true,
			picture: "live",
			width: 1280,
			height: 720,
			videoIn: 290,
			audioIn: 460,
			late: 3,
			dropped: 1,
			held: 4,
			decodeErrors: 0,
			queueMs: 80,
			delayMs: 100,
			targetDelayMs: 90,
			avSkewMs: 5,
			concealedSamples: 480,
		},
	],
});

freezeClock();
afterEach(() => {
	vi.restoreAllMocks();
});

/** On air, with a compositor that has told its figures. */
async function onAir(): Promise<{ broadcast: Created; runner: RunnerPeer; logged: () => LogLine[] }> {
	const logged = captureLog();
	const runner = await RunnerPeer.connect("figures-runner", 4);
	const broadcast = await create({
		title: TITLE,
		alwaysCompose: true,
		destinations: [{ url: "rtmp://192.0.2.1/live", streamKey: "a-secret-key" }],
	});
	const headers = { "X-Request-Id": "follow-me_1" };
	expect((await call("POST", `/api/broadcasts/${broadcast.id}/start`, { headers })).status).toBe(200);
	const { token } = await runner.assigned(broadcast.id);
	const compositor = await openSocket(`/api/broadcasts/${broadcast.id}/control`, { token });
	compositor.send({ type: "compositor-stats", stats: STATS });
	return { broadcast, runner, logged };
}

async function figures(path: string): Promise<{ text: string; families: Map<string, ReadFamily> }> {
	const response = await call("GET", path);
	expect(response.status).toBe(200);
	expect(response.headers.get("Content-Type")).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
	const text = new TextDecoder().decode(await response.arrayBuffer());
	return { text, families: readOpenMetrics(text) };
}

function sampleOf(families: Map<string, ReadFamily>, name: string, labels: Record<string, string>): number | undefined {
	const wanted = JSON.stringify(Object.entries(labels).toSorted());
	return families.get(name)?.samples.find((each) => JSON.stringify(Object.entries(each.labels).toSorted()) === wanted)
		?.value;
}

interface LogLine {
	readonly part: string;
	readonly message: string;
	readonly requestId?: string;
	readonly broadcastId?: string;
	readonly [field: string]: unknown;
}

/** What the Worker and its objects write to the log from now on; they share the tests' console. */
function captureLog(): () => LogLine[] {
	const lines: LogLine[] = [];
	for (const level of ["info", "warn", "error"] as const) {
		vi.spyOn(console, level).mockImplementation((line: unknown) => {
			lines.push(JSON.parse(String(line)) as LogLine);
		});
	}
	return () => lines;
}

describe("figures", () => {
	it("of a broadcast on air are given by person, stage, destination and object, in ids only", async () => {
		const { broadcast, runner } = await onAir();
		const path = `/api/broadcasts/${broadcast.id}/metrics`;
		const { families, text } = await until("the compositor's figures", async () => {
			const answer = await figures(path);
			return answer.families.has("tandem_person_late_frames") ? answer : undefined;
		});
		const labels = { broadcast: broadcast.id };
		const person = { ...labels, person: "host" };
		const [destination = { id: "" }] = broadcast.destinations;
		expect(sampleOf(families, "tandem_person_late_frames", person)).toBe(3);
		expect(sampleOf(families, "tandem_person_delay_seconds", person)).toBe(0.1);
		expect(sampleOf(families, "tandem_person_concealed_seconds", person)).toBe(0.01);
		expect(sampleOf(families, "tandem_person_picture", { ...person, tandem_person_picture: "live" })).toBe(1);
		expect(sampleOf(families, "tandem_stage_seconds", { ...labels, stage: "encode", quantile: "0.95" })).toBe(0.0045);
		expect(sampleOf(families, "tandem_composite_av_skew_seconds", labels)).toBe(-0.012);
		expect(sampleOf(families, "tandem_control_sockets", labels)).toBe(1);
		expect(sampleOf(families, "tandem_viewers", labels)).toBe(0);
		const state = { ...labels, destination: destination.id, tandem_destination_state: "idle" };
		expect(sampleOf(families, "tandem_destination_state", state)).toBe(0);
		expect(
			sampleOf(families, "tandem_stream_subscribers", { ...labels, stream: "program/main" }),
		).toBeGreaterThanOrEqual(0);
		expect(families.get("tandem_person_late_frames")?.type).toBe("counter");
		expect(families.get("tandem_person_delay_seconds")?.unit).toBe("seconds");
		for (const secret of [TITLE, "Host", "192.0.2.1", "secret"]) {
			expect(text).not.toContain(secret);
		}

		const all = await figures("/metrics");
		expect(sampleOf(all.families, "tandem_person_late_frames", person)).toBe(3);
		expect(sampleOf(all.families, "tandem_broadcasts", { status: "live" })).toBe(1);
		expect(sampleOf(all.families, "tandem_pool_leases", {})).toBe(1);
		expect(sampleOf(all.families, "tandem_pool_capacity", {})).toBe(4);
		expect(sampleOf(all.families, "tandem_scrape_left_out_broadcasts", {})).toBe(0);
		await call("POST", `/api/broadcasts/${broadcast.id}/end`);
		runner.close();
	});

	it("of all say how many live broadcasts they leave out, and pass over those that are none", async () => {
		const rows = Array.from(
			{ length: MAX_SCRAPED_BROADCASTS + 2 },
			(_, index) => `m${String(index).padStart(15, "0")}`,
		);
		await env.INDEX.batch(
			rows.map((id) =>
				env.INDEX.prepare(
					"INSERT INTO broadcasts (id, title, status, layout, created_at_ms) VALUES (?, 'Ghost', 'live', 'pip', 1)",
				).bind(id),
			),
		);
		const { families } = await figures("/metrics");
		expect(sampleOf(families, "tandem_scrape_left_out_broadcasts", {})).toBe(2);
		expect(families.has("tandem_broadcast_status")).toBe(false);
		expect(families.has("tandem_scrape_unanswered")).toBe(false);
		await env.INDEX.prepare("DELETE FROM broadcasts WHERE title = 'Ghost'").run();
	});

	it("are for the admin; those of one broadcast for its people", async () => {
		const { id, tokens } = await create();
		await problem(await call("GET", "/metrics", { token: undefined }), 401, "unauthorized");
		await problem(await call("GET", "/metrics", { token: tokens.host }), 403, "forbidden");
		expect((await call("GET", `/api/broadcasts/${id}/metrics`, { token: tokens.host })).status).toBe(200);
		await problem(await call("GET", `/api/broadcasts/${id}/metrics`, { token: tokens.viewer }), 403, "forbidden");
	});
});

describe("the id of a request", () => {
	it("is followed through Worker, Broadcast and pool to the runner", async () => {
		const { broadcast, runner, logged } = await onAir();
		const ofRequest = logged().filter(({ requestId }) => requestId === "follow-me_1");
		expect(ofRequest.map(({ part, message }) => `${part}: ${message}`).toSorted()).toEqual([
			"api: request",
			"broadcast: command",
			"pool: a compositor was asked for",
		]);
		expect(new Set(ofRequest.map(({ broadcastId }) => broadcastId))).toEqual(new Set([broadcast.id]));
		expect(ofRequest.find(({ part }) => part === "api")).toMatchObject({
			method: "POST",
			route: "/api/broadcasts/:id/start",
			status: 200,
			role: "admin",
		});
		const { id } = await create({ alwaysCompose: true });
		await call("POST", `/api/broadcasts/${id}/start`, { headers: { "X-Request-Id": "follow-me_2" } });
		expect(await runner.assigned(id)).toMatchObject({ requestId: "follow-me_2" });
		for (const each of [id, broadcast.id]) {
			await call("POST", `/api/broadcasts/${each}/end`);
		}
		runner.close();
	});

	it("is told in a header and in problem documents, and made where the client gives none that will do", async () => {
		const given = await call("GET", "/api/health", { headers: { "X-Request-Id": "abc-1" } });
		expect(given.headers.get("X-Request-Id")).toBe("abc-1");
		const ray = await call("GET", "/api/health", { headers: { "cf-ray": "8f1e2d3c4b5a6978-FRA" } });
		expect(ray.headers.get("X-Request-Id")).toBe("8f1e2d3c4b5a6978-FRA");
		for (const bad of ["a b", "x".repeat(65), 'a","level":"error', ""]) {
			const made = await call("GET", "/api/health", { headers: { "X-Request-Id": bad } });
			expect(made.headers.get("X-Request-Id")).toMatch(/^[0-9a-z]{20}$/);
		}
		const refused = await call("GET", "/api/nothing", { headers: { "X-Request-Id": "abc-2" } });
		expect(refused.headers.get("X-Request-Id")).toBe("abc-2");
		expect(await problem(refused, 404, "not-found")).toMatchObject({ requestId: "abc-2" });
	});

	it("stands in one line a request that has neither query nor token", async () => {
		const { id, tokens } = await create();
		const logged = captureLog();
		const token = tokens.viewer;
		await call("GET", `/api/broadcasts/${id}/media/program%2Fmain?direction=subscribe&token=${token}`, {
			token: undefined,
		});
		await call("GET", `/api/broadcasts?q=${token}`);
		await call("GET", `/api/broadcasts/${"x".repeat(15)}%2F`);
		expect(logged().map(({ route, status }) => [route, status])).toEqual([
			["/api/broadcasts/:id/media/:stream{.+}", 426],
			["/api/broadcasts", 200],
			["/api/broadcasts/:id", 404],
		]);
		expect(logged().map(({ broadcastId }) => broadcastId)).toEqual([id, undefined, undefined]);
		expect(JSON.stringify(logged())).not.toContain(token.slice(-20));
	});
});
