import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { deploySteps, INDEX_DATABASE } from "../../../scripts/deploy-steps.ts";

describe("a deploy", () => {
	it("makes the database the first time, brings it up to date, and then deploys", () => {
		expect(deploySteps(["another"], ["--minify"])).toEqual([
			["d1", "create", "tandem-index", "--update-config", "false"],
			["d1", "migrations", "apply", "INDEX", "--remote"],
			["deploy", "--minify"],
		]);
	});

	it("leaves a database that is there as it is, but for what it lacks", () => {
		expect(deploySteps(["another", "tandem-index"], [])).toEqual([
			["d1", "migrations", "apply", "INDEX", "--remote"],
			["deploy"],
		]);
	});

	it("means the database that the Worker is bound to", () => {
		const config = readFileSync(new URL("../../../wrangler.toml", import.meta.url), "utf8");
		expect(config).toContain(`binding = "${INDEX_DATABASE.binding}"\ndatabase_name = "${INDEX_DATABASE.name}"`);
	});
});
