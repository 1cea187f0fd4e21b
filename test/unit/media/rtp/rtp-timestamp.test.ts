import { expect, test } from "vitest";
import { RtpTimestampUnwrapper, rtpBefore, rtpBetween } from "../../../../media/rtp/rtp-timestamp.ts";

test("goes on across the wrap, forwards and backwards", () => {
	const unwrapper = new RtpTimestampUnwrapper();
	const times = [0xffff_fc40, 0xffff_fff0, 0x0000_03a0, 0xffff_ffff, 0x0000_0760].map((each) => unwrapper.unwrap(each));
	expect(times).toEqual([0xffff_fc40, 0xffff_fff0, 0x1_0000_03a0, 0xffff_ffff, 0x1_0000_0760]);
});

test("goes on for days", () => {
	const unwrapper = new RtpTimestampUnwrapper();
	const step = 90_000 * 3_600; // an hour without a picture
	for (let hours = 0; hours < 200; hours += 1) {
		expect(unwrapper.unwrap((hours * step) % 2 ** 32)).toBe(hours * step);
	}
});

test("says how far two times are apart, and what lies before one", () => {
	expect([rtpBetween(10, 970), rtpBetween(970, 10), rtpBetween(0xffff_fff0, 0x10)]).toEqual([960, -960, 0x20]);
	expect([rtpBefore(960, 960), rtpBefore(0, 960)]).toEqual([0, 2 ** 32 - 960]);
});
