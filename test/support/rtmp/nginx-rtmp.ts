import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "../../../scripts/local-system/ports.ts";
import { PeerProcess } from "./peer-process.ts";

const MODULE = "/usr/lib/nginx/modules/ngx_rtmp_module.so";

export interface NginxRtmp {
	readonly port: number;
	/** Where `live/<name>` is recorded. */
	recordingOf(name: string): string;
	stop(): Promise<void>;
}

/** nginx-rtmp on a free port, recording all that is published to `live` into `directory`, and letting nobody publish to `closed`. */
export async function startNginxRtmp(directory: string, withinMs: number): Promise<NginxRtmp> {
	const port = await freePort();
	const config = join(directory, "nginx.conf");
	await writeFile(
		config,
		`load_module ${MODULE};
		daemon off; master_process off;
		pid ${join(directory, "nginx.pid")}; error_log ${join(directory, "error.log")} info;
		events {}
		rtmp { server {
			listen 127.0.0.1:${port};
			application live { live on; record all; record_path ${directory}; }
			application closed { live on; deny publish all; }
		} }`,
	);
	const nginx = new PeerProcess("nginx", ["-p", directory, "-c", config, "-e", join(directory, "error.log")], withinMs);
	return {
		port,
		recordingOf: (name) => join(directory, `${name}.flv`),
		stop: async () => {
			await nginx.stop();
		},
	};
}
