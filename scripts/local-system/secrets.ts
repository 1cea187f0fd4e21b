import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const FILE = "secrets.json";
const RANDOM_BYTES = 32;

const secretsSchema = z.object({
	runnerToken: z.string().min(1),
	signingKey: z.string().min(1),
	encryptionKey: z.string().min(1),
});
/** A file of an older version has no encryption key yet. */
const keptSchema = secretsSchema.partial({ encryptionKey: true });

/** RUNNER_TOKEN, SIGNING_KEY and ENCRYPTION_KEY of a local system. */
export type LocalSecrets = z.infer<typeof secretsSchema>;

/** 256 random bits as text. */
export function randomSecret(): string {
	return randomBytes(RANDOM_BYTES).toString("base64url");
}

/**
 * From the environment; what is not there is made once and kept in `folder`, readable by its owner only, so that tokens and links stay
 * valid over a restart.
 */
export function localSecrets(folder: string, environment: Readonly<Record<string, string | undefined>>): LocalSecrets {
	const kept = keptSecrets(join(folder, FILE));
	return {
		runnerToken: environment.RUNNER_TOKEN || kept.runnerToken,
		signingKey: environment.SIGNING_KEY || kept.signingKey,
		encryptionKey: environment.ENCRYPTION_KEY || kept.encryptionKey,
	};
}

/** Those that are being replaced, and still count while they are in the environment. */
export function previousSecrets(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
	const names = ["RUNNER_TOKEN_PREVIOUS", "SIGNING_KEY_PREVIOUS", "ENCRYPTION_KEY_PREVIOUS"];
	return Object.fromEntries(
		names.flatMap((name) => {
			const value = environment[name];
			return value === undefined || value === "" ? [] : [[name, value]];
		}),
	);
}

function keptSecrets(path: string): LocalSecrets {
	if (existsSync(path)) {
		chmodSync(path, 0o600);
		const kept = keptSchema.safeParse(JSON.parse(readFileSync(path, "utf8")));
		if (!kept.success) {
			throw new Error(
				`start: expected runnerToken and signingKey in ${path}, got something else; remove it to have new ones made`,
			);
		}
		const { encryptionKey } = kept.data;
		return encryptionKey === undefined ? keep(path, kept.data) : { ...kept.data, encryptionKey };
	}
	return keep(path, { runnerToken: randomSecret(), signingKey: randomSecret() });
}

function keep(path: string, secrets: Omit<LocalSecrets, "encryptionKey">): LocalSecrets {
	const made: LocalSecrets = { ...secrets, encryptionKey: randomSecret() };
	writeFileSync(path, JSON.stringify(made), { mode: 0o600 });
	return made;
}
