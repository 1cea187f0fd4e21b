import { existsSync } from "node:fs";
import { mkdtemp, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { freePort } from "../../scripts/local-system/ports.ts";
import { usageOf } from "../../scripts/process-usage.ts";
import { waitFor } from "../../scripts/wait-for.ts";
import { PeerProcess } from "../../test/support/rtmp/peer-process.ts";
import { listenerIds, type StartRelay } from "./relay.ts";
import { STUCK_KEY_PREFIX } from "./subscription.ts";

const MODULE = "/usr/lib/nginx/modules/ngx_rtmp_module.so";
/** Longer than any run; then nginx is ended whatever becomes of us. */
const WITHIN_MS = 300_000;
const LISTENS_WITHIN_MS = 10_000;

export function hasNginxRtmp(): boolean {
	return existsSync(MODULE);
}

/** nginx-rtmp, which pushes what is published to it to one RTMP server for each listener. */
export function nginxRelayIn(folder: string): StartRelay {
	return async ({ listeners, withStuck, rtmpUrl }) => {
		const directory = await mkdtemp(join(folder, "nginx-"));
		const port = await freePort();
		const config = join(directory, "nginx.conf");
		const ids = listenerIds(listeners);
		const pushes = [...ids, ...(withStuck ? [STUCK_KEY_PREFIX] : [])].map((key) => `push ${rtmpUrl}/${key};`);
		await writeFile(
			config,
			`load_module ${MODULE};
			daemon off; master_process off;
			pid ${join(directory, "nginx.pid")}; error_log ${join(directory, "error.log")} warn;
			events {}
			rtmp { server {
				listen 127.0.0.1:${port};
				chunk_size 4096;
				application live { live on; ${pushes.join(" ")} }
			} }`,
		);
		const nginx = new PeerProcess(
			"nginx",
			["-p", directory, "-c", config, "-e", join(directory, "error.log")],
			WITHIN_MS,
		);
		await waitFor("nginx to listen", LISTENS_WITHIN_MS, () => reached(port));
		return {
			publish: { kind: "rtmp", url: `rtmp://127.0.0.1:${port}/live`, streamKey: "measured" },
			subscriptions: [],
			listeners: ids,
			usage: () => usageOf(process.pid, /^nginx/),
			async [Symbol.asyncDispose]() {
				await nginx.stop();
			},
		};
	};
}

function reached(port: number): Promise<true> {
	return new Promise((resolve, reject) => {
		const socket = connect({ host: "127.0.0.1", port }, () => {
			socket.destroy();
			resolve(true);
		});
		socket.once("error", reject);
	});
}
