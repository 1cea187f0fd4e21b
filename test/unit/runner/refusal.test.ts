import { describe, expect, it } from "vitest";
import { refusalOfClose, refusalOfStatus } from "../../../runner/rtmp-ingest/refusal.ts";
import { CLOSE } from "../../../worker/protocol/close-codes.ts";

const problem = JSON.stringify({ title: "The broadcast has ended", detail: "expected live, got ended" });

describe("what a publisher is told when the Worker refuses", () => {
	it.each([
		[401, "NetStream.Publish.BadName"],
		[403, "NetStream.Publish.Denied"],
		[404, "NetStream.Publish.BadName"],
		[409, "NetStream.Publish.Denied"],
		[410, "NetStream.Publish.Denied"],
	])("HTTP %i is final, as %s in the problem's words", (status, code) => {
		const refusal = refusalOfStatus(status, problem);
		expect(refusal?.code).toBe(code);
		expect(refusal?.message).toBe("The broadcast has ended: expected live, got ended");
	});

	it.each([200, 426, 429, 500, 502, 503])("HTTP %i is worth another try", (status) => {
		expect(refusalOfStatus(status, problem)).toBeUndefined();
	});

	it.each(["", "<html>", "[]", '{"title":7}'])("a body that is no problem document (%j) is not passed on", (body) => {
		expect(refusalOfStatus(404, body)?.message).toBe("there is no such broadcast");
	});
});

describe("what a publisher is told when the Router closes its socket", () => {
	it.each([
		["badMedia", "NetStream.Publish.Denied"],
		["noMedia", "NetStream.Publish.Denied"],
		["ended", "NetStream.Publish.Denied"],
		["tooLarge", "NetStream.Publish.Denied"],
		["unauthorized", "NetStream.Publish.BadName"],
		["takenOver", "NetStream.Publish.BadName"],
		["done", "NetStream.Publish.Denied"],
	] as const)("%s ends the stream as %s with the Router's reason", (kind, code) => {
		const refusal = refusalOfClose(CLOSE[kind].code, "expected H.264, got HEVC");
		expect(refusal?.code).toBe(code);
		expect(refusal?.message).toBe("expected H.264, got HEVC");
	});

	it.each([CLOSE.restart.code, CLOSE.stalled.code, 1006, 1001, 1011])("code %i is a broken line", (code) => {
		expect(refusalOfClose(code, "")).toBeUndefined();
	});
});
