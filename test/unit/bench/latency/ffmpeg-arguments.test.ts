import { expect, it } from "vitest";
import { compositorArguments, relayArguments } from "../../../../bench/latency/ffmpeg-arguments.ts";

it("names every input and, last, where the program goes", () => {
	const args = compositorArguments({
		inputs: ["rtmp://a", "rtmp://b"],
		to: "rtmp://c",
		width: 1_280,
		height: 720,
		frameRate: 30,
	});
	expect(args.flatMap((arg, index) => (arg === "-i" ? args[index + 1] : []))).toEqual(["rtmp://a", "rtmp://b"]);
	expect(args.at(-1)).toBe("rtmp://c");
	expect(args[args.indexOf("-filter_complex") + 1]).toContain("crop=640:720");
	expect(args[args.indexOf("-g") + 1]).toBe("60");
});

it("encodes nothing anew where it only sends on", () => {
	const args = relayArguments("rtmp://a", "rtmp://c");
	expect(args[args.indexOf("-c") + 1]).toBe("copy");
	expect(args.at(-1)).toBe("rtmp://c");
});
