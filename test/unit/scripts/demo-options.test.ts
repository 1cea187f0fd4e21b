import { describe, expect, test } from "vitest";
import { demoOptions } from "../../../scripts/demo/options.ts";

describe("demoOptions", () => {
	test.each([
		{ argv: [], options: { seconds: undefined, json: false } },
		{ argv: ["--seconds", "30"], options: { seconds: 30, json: false } },
		{ argv: ["--seconds=1", "--json"], options: { seconds: 1, json: true } },
		{ argv: ["--json", "--seconds", "3600"], options: { seconds: 3_600, json: true } },
	])("takes $argv", ({ argv, options }) => {
		expect(demoOptions(argv)).toEqual(options);
	});

	test("ends by itself when its result is to be read by a program", () => {
		expect(demoOptions(["--json"])).toEqual({ seconds: 30, json: true });
	});

	test.each(["0", "-1", "1.5", "3601", "", "ten", "Infinity", "NaN"])("refuses --seconds=%s", (value) => {
		expect(() => demoOptions([`--seconds=${value}`])).toThrow(`demo: expected --seconds from 1 to 3600, got ${value}`);
	});

	test.each([[["--second", "3"]], [["3"]], [["--seconds"]], [["--json=yes"]]])("refuses %j", (argv) => {
		expect(() => demoOptions(argv)).toThrow();
	});
});
