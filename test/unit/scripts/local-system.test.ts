import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openLogFile } from "../../../scripts/local-system/log-file.ts";
import { usablePort } from "../../../scripts/local-system/ports.ts";
import { localSecrets, previousSecrets } from "../../../scripts/local-system/secrets.ts";
import { claimStateFolder } from "../../../scripts/local-system/state-folder.ts";
import { wranglerEnvironment } from "../../../scripts/local-system/wrangler-environment.ts";
import { startOptions } from "../../../scripts/start-options.ts";
import { sealingKeyOf } from "../../../worker/auth/sealing.ts";

let folder: string;
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "tandem-test-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("npm start's options", () => {
	it("have defaults for everything", () => {
		expect(startOptions([])).toEqual({
			port: 8787,
			rtmpPort: 1935,
			host: "127.0.0.1",
			persist: ".tandem",
			capacity: undefined,
		});
	});

	it.each([
		[["--port", "eighty"], /whole number from 0 to 65535 for --port, got "eighty"/],
		[["--rtmp-port", "65536"], /for --rtmp-port, got "65536"/],
		[["--capacity", "-1"], /--capacity/],
		[["--verbose"], /--verbose/],
		[["extra"], /extra/],
	])("refuse %j, saying what was expected", (argv, message) => {
		expect(() => startOptions(argv)).toThrow(message);
	});
});

describe("the secrets of a local system", () => {
	it("are made once and kept, readable by their owner only", () => {
		const first = localSecrets(folder, {});
		expect(first.runnerToken).not.toBe(first.signingKey);
		expect(first.signingKey.length).toBeGreaterThanOrEqual(32);
		expect(localSecrets(folder, {})).toEqual(first);
		expect(statSync(join(folder, "secrets.json")).mode & 0o777).toBe(0o600);
	});

	it("come from the environment where they are set there", () => {
		const kept = localSecrets(folder, {});
		expect(localSecrets(folder, { SIGNING_KEY: "mine", RUNNER_TOKEN: "" })).toEqual({ ...kept, signingKey: "mine" });
	});

	it("gain an encryption key where an older version kept none, and keep it", () => {
		writeFileSync(join(folder, "secrets.json"), JSON.stringify({ runnerToken: "r", signingKey: "s" }));
		const { encryptionKey, ...older } = localSecrets(folder, {});
		expect(older).toEqual({ runnerToken: "r", signingKey: "s" });
		expect(sealingKeyOf({ ENCRYPTION_KEY: encryptionKey })).toHaveLength(32);
		expect(localSecrets(folder, {}).encryptionKey).toBe(encryptionKey);
	});

	it("are not guessed when the file is damaged", () => {
		writeFileSync(join(folder, "secrets.json"), "{}");
		expect(() => localSecrets(folder, {})).toThrow(/expected runnerToken and signingKey/);
	});

	it("reach no process by its environment", () => {
		const environment = wranglerEnvironment({
			PATH: "/bin",
			ADMIN_TOKEN: "a",
			ADMIN_TOKEN_SHA256: "a",
			RUNNER_TOKEN: "b",
			RUNNER_TOKEN_PREVIOUS: "b",
			SIGNING_KEY: "c",
			SIGNING_KEY_PREVIOUS: "c",
			ENCRYPTION_KEY: "d",
			WEBHOOK_SECRET: "e",
		});
		expect(environment).toMatchObject({ PATH: "/bin", CLOUDFLARE_CF_FETCH_ENABLED: "false" });
		expect(Object.keys(environment).filter((name) => /ADMIN|RUNNER|SIGNING|ENCRYPTION|WEBHOOK/.test(name))).toEqual([]);
	});

	it("that are being replaced count while the environment has them", () => {
		const environment = { SIGNING_KEY_PREVIOUS: "old", RUNNER_TOKEN_PREVIOUS: "", RUNNER_TOKEN: "b", PATH: "/bin" };
		expect(previousSecrets(environment)).toEqual({ SIGNING_KEY_PREVIOUS: "old" });
	});
});

describe("the state folder", () => {
	it("belongs to one process at a time", () => {
		writeFileSync(join(folder, "running.pid"), String(process.ppid));
		expect(() => claimStateFolder(folder)).toThrow(/process \d+ uses; choose another with --persist/);
	});

	it("is taken over from a process that is gone, and given up again", () => {
		writeFileSync(join(folder, "running.pid"), "999999999");
		const claimed = claimStateFolder(folder);
		expect(readFileSync(join(folder, "running.pid"), "utf8")).toBe(String(process.pid));
		claimed.release();
		claimed.release();
		expect(existsSync(join(folder, "running.pid"))).toBe(false);
	});

	it("is a temporary one where none is named, and then removed", () => {
		const claimed = claimStateFolder(undefined);
		expect(existsSync(claimed.path)).toBe(true);
		claimed.release();
		expect(existsSync(claimed.path)).toBe(false);
	});
});

describe("ports", () => {
	it("that are taken are named, with the option that chooses another", async () => {
		const server = createServer();
		const taken = await new Promise<number>((resolve) => {
			server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
		});
		await expect(usablePort(taken, "127.0.0.1", "--rtmp-port")).rejects.toThrow(
			`start: expected port ${taken} on 127.0.0.1 to be free, got one that is in use; choose another with --rtmp-port`,
		);
		server.close();
	});

	it("are any free one for 0", async () => {
		const port = await usablePort(0, "127.0.0.1", "--port");
		expect(port).toBeGreaterThan(1_024);
		// Never one that the machine may give to an outgoing connection before it is listened on.
		expect(port).toBeLessThan(32_768);
	});
});

describe("the log file", () => {
	it("takes lines after those of earlier runs", async () => {
		const path = join(folder, "logs/tandem.log");
		for (const line of ["first", "second"]) {
			const file = openLogFile(path);
			file.write(line);
			await file.close();
		}
		expect(readFileSync(path, "utf8")).toBe("first\nsecond\n");
	});
});
