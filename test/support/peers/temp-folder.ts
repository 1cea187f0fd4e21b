import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Set to look at what a failed test received: folders stay, and their paths are printed. */
const KEEP = process.env.TANDEM_KEEP_TEST_FILES !== undefined;

/** A folder that goes away with all that is in it. */
export class TempFolder implements Disposable {
	readonly path = mkdtempSync(join(tmpdir(), "tandem-e2e-"));

	file(name: string): string {
		return join(this.path, name);
	}

	[Symbol.dispose](): void {
		if (KEEP) {
			console.info(`kept ${this.path}`);
			return;
		}
		rmSync(this.path, { recursive: true, force: true, maxRetries: 3 });
	}
}
