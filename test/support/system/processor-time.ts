import { readdirSync, readFileSync } from "node:fs";

/** `man 5 proc`: times are in ticks of 10 ms. */
const TICKS_PER_SECOND = 100;
/** /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal; the time of guests is in user's already. */
const IDLE_FIELDS = [3, 4];
const STAT_FIELDS = 8;
/** What a process takes between the last look and its end is taken for somebody else's. */
const LOOK_EVERY_MS = 250;

/** Tells how much of the machine others take, from now until asked: all but this process and whatever it has started. */
export class OthersProcessorTime {
	readonly #startedMs = performance.now();
	readonly #busyAtStartS = busySeconds();
	/** Processor seconds of each process of ours: when first seen, and latest. */
	readonly #own = new Map<number, { atStartS: number; latestS: number }>();
	readonly #timer: ReturnType<typeof setInterval>;

	constructor() {
		this.#look(true);
		this.#timer = setInterval(() => this.#look(false), LOOK_EVERY_MS);
	}

	/** Cores that others have taken, on average. Ends the looking. */
	stop(): number {
		clearInterval(this.#timer);
		this.#look(false);
		const own = [...this.#own.values()].reduce((sum, { atStartS, latestS }) => sum + latestS - atStartS, 0);
		const busy = busySeconds() - this.#busyAtStartS;
		return Math.max(0, busy - own) / ((performance.now() - this.#startedMs) / 1_000);
	}

	#look(isFirst: boolean): void {
		const processes = allProcesses();
		let grew = true;
		while (grew) {
			grew = false;
			for (const [pid, { parent, cpuS }] of processes) {
				const known = this.#own.get(pid);
				if (known !== undefined) {
					known.latestS = cpuS;
				} else if (pid === process.pid || this.#own.has(parent)) {
					this.#own.set(pid, { atStartS: isFirst ? cpuS : 0, latestS: cpuS });
					grew = true;
				}
			}
		}
	}
}

function busySeconds(): number {
	const [total = ""] = readFileSync("/proc/stat", "utf8").split("\n");
	const ticks = total
		.trim()
		.split(/\s+/)
		.slice(1, 1 + STAT_FIELDS)
		.map(Number);
	return ticks.reduce((sum, each, field) => sum + (IDLE_FIELDS.includes(field) ? 0 : each), 0) / TICKS_PER_SECOND;
}

function allProcesses(): Map<number, { parent: number; cpuS: number }> {
	const found = new Map<number, { parent: number; cpuS: number }>();
	for (const name of readdirSync("/proc").filter((each) => /^\d+$/.test(each))) {
		let stat: string;
		try {
			stat = readFileSync(`/proc/${name}/stat`, "utf8");
		} catch {
			// It ended between being listed and being read.
			continue;
		}
		// pid (command) state ppid … utime stime …: the command may hold spaces and brackets, so count from its end.
		const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
		found.set(Number(name), {
			parent: Number(fields[1]),
			cpuS: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
		});
	}
	return found;
}
