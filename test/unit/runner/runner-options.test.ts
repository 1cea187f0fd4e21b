import { describe, expect, it } from "vitest";
import { runnerSettings } from "../../../runner/runner-options.ts";

const ENVIRONMENT = { RUNNER_TOKEN: "t" };

describe("the runner's settings", () => {
	it("need only an address and a token", () => {
		expect(runnerSettings(["--api", "https://tandem.example.com/x"], ENVIRONMENT)).toEqual({
			apiUrl: "https://tandem.example.com",
			runnerToken: "t",
			capacity: 1,
			rtmpPort: 1935,
			rtmpHost: "0.0.0.0",
		});
	});

	it("take capacity, port and address", () => {
		const argv = ["--api=http://127.0.0.1:8787", "--capacity", "4", "--rtmp-port", "0", "--rtmp-host", "127.0.0.1"];
		expect(runnerSettings(argv, ENVIRONMENT)).toMatchObject({ capacity: 4, rtmpPort: 0, rtmpHost: "127.0.0.1" });
	});

	it.each([
		["no address", [], ENVIRONMENT, /expected --api with an http or https address/],
		["an address that is not HTTP", ["--api", "rtmp://h"], ENVIRONMENT, /expected --api/],
		["no token", ["--api", "http://h"], {}, /expected RUNNER_TOKEN in the environment/],
		[
			"a capacity in words",
			["--api", "http://h", "--capacity", "two"],
			ENVIRONMENT,
			/whole number from 0 to 256 for --capacity, got "two"/,
		],
		[
			"a port that is none",
			["--api", "http://h", "--rtmp-port", "70000"],
			ENVIRONMENT,
			/from 0 to 65535 for --rtmp-port/,
		],
		["a negative port", ["--api", "http://h", "--rtmp-port=-1"], ENVIRONMENT, /--rtmp-port, got "-1"/],
		["an option that is none", ["--api", "http://h", "--fast"], ENVIRONMENT, /--fast/],
	])("are refused with %s", (_what, argv, environment, message) => {
		expect(() => runnerSettings(argv, environment)).toThrow(message);
	});
});
