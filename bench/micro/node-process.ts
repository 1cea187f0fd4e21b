import { measureAllocatedBytes } from "./measure-allocations.ts";
import { measureUs } from "./measure-time.ts";
import { NODE_CASES } from "./node-cases.ts";

/** `node bench/micro/node-process.ts time|allocations`: prints one figure a case, as a JSON array, and ends. */
const [, , what] = process.argv;
if (what !== "time" && what !== "allocations") {
	throw new Error(`micro: expected time or allocations, got ${what}`);
}
const figures = NODE_CASES.map((each) =>
	what === "time" ? measureUs(each, () => performance.now()) : measureAllocatedBytes(each),
);
console.log(JSON.stringify(figures));
