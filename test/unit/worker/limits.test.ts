import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { unstable_readConfig as readConfig } from "wrangler";
import { z } from "zod";
import type { BroadcastRecord } from "../../../worker/broadcast/broadcast-record.ts";
import { applyCommand } from "../../../worker/broadcast/commands/apply-command.ts";
import { DEFAULT_LIMITS, LIMITS, limitsFrom, RATE_LIMITS } from "../../../worker/limits.ts";
import type { BroadcastCommand } from "../../../worker/protocol/broadcast-commands.ts";

const WRANGLER = new URL("../../../wrangler.toml", import.meta.url);
const OPERATIONS = readFileSync(new URL("../../../docs/operations.md", import.meta.url), "utf8");

const configSchema = z.object({
	ratelimits: z.array(
		z.object({
			name: z.string(),
			namespace_id: z.string(),
			simple: z.object({ limit: z.number(), period: z.number() }),
		}),
	),
});

function rowsUnder(heading: string): string[] {
	const table = OPERATIONS.split(`${heading}\n|---|---|---|---|\n`)[1] ?? "";
	return table.split("\n\n")[0]?.split("\n") ?? [];
}

test("the operator's page shows every setting, as it is", () => {
	expect(rowsUnder("| setting | default | from, to | what it limits |")).toEqual(
		Object.values(LIMITS).map(
			({ setting, default: usual, min, max, what }) =>
				`| \`${setting}\` | ${usual.toLocaleString("en")} | ${min.toLocaleString("en")}, ${max.toLocaleString("en")} | ${what} |`,
		),
	);
});

test("the operator's page and wrangler.toml show every limit on how often, as it is", () => {
	expect(rowsUnder("| binding | default | by | what it limits |")).toEqual(
		Object.entries(RATE_LIMITS).map(
			([binding, { limit, periodS, per, what }]) => `| \`${binding}\` | ${limit} in ${periodS} s | ${per} | ${what} |`,
		),
	);
	const { ratelimits } = configSchema.parse(readConfig({ config: fileURLToPath(WRANGLER) }));
	expect(ratelimits.map(({ name, simple }) => ({ name, ...simple }))).toEqual(
		Object.entries(RATE_LIMITS).map(([name, { limit, periodS }]) => ({ name, limit, period: periodS })),
	);
	expect(new Set(ratelimits.map(({ namespace_id }) => namespace_id)).size).toBe(ratelimits.length);
});

test("a setting is a whole number within its bounds, or its default with a word to the log", () => {
	for (const { setting, min, max } of Object.values(LIMITS)) {
		for (const value of [min, max]) {
			const faults: string[] = [];
			expect(Object.values(limitsFrom((fault) => faults.push(fault), { [setting]: ` ${value} ` }))).toContain(value);
			expect(faults).toEqual([]);
		}
		for (const nonsense of [
			String(min - 1),
			String(max + 1),
			"lots",
			"1e2",
			"0x10",
			"1.5",
			"-1",
			"NaN",
			"9".repeat(400),
		]) {
			const faults: string[] = [];
			expect(
				limitsFrom((fault) => faults.push(fault), { [setting]: nonsense }),
				`${setting}=${nonsense}`,
			).toEqual(DEFAULT_LIMITS);
			expect(faults).toEqual([
				expect.stringMatching(`^limits: expected ${setting} to be a whole number from ${min} to ${max}`),
			]);
			expect(faults.join()).not.toContain("lots");
		}
	}
	expect(limitsFrom(() => expect.unreachable(), { MAX_GUESTS: "", MAX_INVITES: "  " })).toEqual(DEFAULT_LIMITS);
});

test("the broadcast itself keeps to the deployment's limits", () => {
	const limits = { ...DEFAULT_LIMITS, maxDestinations: 1, maxInvites: 1, maxWebhooks: 1 };
	const empty = { status: "lobby", destinations: [], invites: [], webhooks: [] } as unknown as BroadcastRecord;
	const commands = (name: string): readonly BroadcastCommand[] => [
		{ type: "create-invite", inviteId: name, codeHash: name, maxUses: 1, expiresAtMs: 10 },
		{ type: "add-webhook", webhookId: name, url: "https://example.com", sealedSecret: "s", events: [] },
		{
			type: "add-destination",
			id: name,
			service: "custom",
			via: "edge",
			allowBFrames: false,
			shownUrl: "rtmp://example.com",
			hasStreamKey: true,
			sealedAddress: "s",
			fingerprint: name,
		},
	];
	commands("second").forEach((second, index) => {
		const [first] = commands("first").slice(index);
		const once = first && applyCommand(empty, first, { actor: "admin" }, 1, limits);
		const record = once?.ok === true ? once.value.record : expect.unreachable(second.type);
		expect(applyCommand(record, second, { actor: "admin" }, 1, limits), second.type).toMatchObject({
			refusal: { kind: "too-many", detail: expect.stringContaining("at most 1") },
		});
		expect(applyCommand(record, second, { actor: "admin" }, 1, DEFAULT_LIMITS).ok, second.type).toBe(true);
	});
});
