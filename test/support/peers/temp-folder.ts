import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder that goes away with all that is in it. */
export class TempFolder implements Disposable {
	readonly path = mkdtempSync(join(tmpdir(), "tandem-e2e-"));

	file(name: string): string {
		return join(this.path, name);
	}

	[Symbol.dispose](): void {
		rmSync(this.path, { recursive: true, force: true, maxRetries: 3 });
	}
}
