import { describe, expect, it } from "vitest";
import { AcknowledgementCounter } from "../../../rtmp/acknowledgement.ts";

describe("acknowledgement counter", () => {
	it("is due after its own limit when the peer names no window", () => {
		const counter = new AcknowledgementCounter(1000);
		counter.add(999);
		expect(counter.takeDue()).toBeUndefined();
		counter.add(1);
		expect(counter.takeDue()).toBe(1000);
		expect(counter.takeDue()).toBeUndefined();
	});

	it("is due after half the peer's window when that comes first", () => {
		const counter = new AcknowledgementCounter(1000);
		counter.windowBytes = 200;
		counter.add(100);
		expect(counter.takeDue()).toBe(100);
		counter.windowBytes = 1_000_000;
		counter.add(999);
		expect(counter.takeDue()).toBeUndefined();
		counter.add(1);
		expect(counter.takeDue()).toBe(1100);
	});

	it("takes a window of 0 as one of the smallest", () => {
		const counter = new AcknowledgementCounter(1000);
		counter.windowBytes = 0;
		counter.add(1);
		expect(counter.takeDue()).toBe(1);
	});

	it("counts on over 2^32", () => {
		const counter = new AcknowledgementCounter(1000, 0xffffff00);
		counter.add(1000);
		expect(counter.takeDue()).toBe(1000 - 256);
	});

	it("gives what is left over when asked by the clock, and nothing twice", () => {
		const counter = new AcknowledgementCounter(1000);
		expect(counter.takeAny()).toBeUndefined();
		counter.add(5);
		expect(counter.takeAny()).toBe(5);
		expect(counter.takeAny()).toBeUndefined();
	});
});
