import { readFileSync } from "node:fs";
import { Validator } from "@seriousme/openapi-schema-validator";
import { ApiRefusalError, answerOf, apiClient } from "tandem/client";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { type LocalSystem, startTandem } from "../../scripts/local-system.ts";
import { runTool } from "../support/peers/run-tool.ts";

const EXAMPLES = new URL("../../docs/api.md", import.meta.url);

let system: LocalSystem;

beforeAll(async () => {
	// Nobody goes on air here: no compositor is needed.
	system = await startTandem({ port: 0, rtmpPort: 0, capacity: 0 });
});

afterAll(async () => {
	await system.stop();
});

it("every example of docs/api.md does what it says", async () => {
	const blocks = [...readFileSync(EXAMPLES, "utf8").matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block);
	expect(blocks.length).toBeGreaterThan(5);
	const script = ["set -euo pipefail", ...blocks.map((block, index) => `echo "example ${index + 1}" >&2\n${block}`)];
	const run = await runTool("bash", ["-c", script.join("\n")], {
		env: { ...process.env, TANDEM: system.apiUrl, ADMIN_TOKEN: system.adminToken },
	});
	expect(run.code, `${run.stdout.slice(-2_000)}\n${run.stderr.slice(-2_000)}`).toBe(0);
});

it("the description is OpenAPI 3.1 by the standard's own schema", async () => {
	const document = await (await fetch(new URL("/api/openapi.json", system.apiUrl))).json();
	const checked = await new Validator().validate(z.record(z.string(), z.unknown()).parse(document));
	expect(checked).toEqual({ valid: true });
	expect(await new Validator().validate({ openapi: "3.1.0", info: {} })).toMatchObject({ valid: false });
});

it("the client that the package exports speaks to it, with the answers' types", async () => {
	const api = apiClient(system.apiUrl, { token: system.adminToken });
	const created = await answerOf(api.broadcasts.$post({ json: { title: "By the client", layout: "pip" } }));
	const shown = await answerOf(api.broadcasts[":id"].$get({ param: { id: created.id } }));
	expect(shown.title).toBe("By the client");
	await answerOf(api.broadcasts[":id"].scene.$put({ param: { id: created.id }, json: { layout: "grid" } }));
	expect((await answerOf(api.broadcasts[":id"].$get({ param: { id: created.id } }))).layout).toBe("grid");
	const stranger = apiClient(system.apiUrl, { token: "nobody" });
	const refusal = await answerOf(stranger.broadcasts[":id"].$get({ param: { id: created.id } })).catch(
		(error) => error,
	);
	expect(refusal).toBeInstanceOf(ApiRefusalError);
	expect(refusal).toMatchObject({ status: 401, problem: { title: "A valid token is needed" } });
	expect(await answerOf(api.broadcasts[":id"].$delete({ param: { id: created.id } }))).toBeUndefined();
});
