// Turns vitest's JSON report, and whether `npm run check` failed, into the line `N passed, N failed[, N skipped]`.
import { readFileSync } from "node:fs";

const [reportPath, checkFailed, testExit] = process.argv.slice(2);
let passed = 0;
let failed = 0;
let skipped = 0;

if (checkFailed === "0") {
	passed += 1;
} else {
	failed += 1;
}

try {
	const report = JSON.parse(readFileSync(reportPath, "utf8"));
	passed += report.numPassedTests;
	failed += report.numFailedTests;
	skipped += report.numPendingTests + report.numTodoTests;
	// A file that does not load, or an error outside every test, fails the run without failing a test.
	if (testExit !== "0" && report.numFailedTests === 0) {
		failed += Math.max(1, report.numFailedTestSuites);
	}
} catch (error) {
	console.error(`no test report: ${error.message}`);
	failed += 1;
}

console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = failed === 0 ? 0 : 1;
