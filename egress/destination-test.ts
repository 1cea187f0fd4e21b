import { RtmpPublisher } from "../rtmp/publisher.ts";
import type { RtmpUrl } from "../rtmp/url.ts";
import {
	DESTINATION_TEST_WITHIN_MS,
	type DestinationTestReport,
	type DestinationTestStep,
	type PublishTarget,
} from "../worker/protocol/egress-jobs.ts";
import { type Clock, sleep, unlessAborted } from "./clock.ts";
import { DIAL_WITHIN_MS, type Dial, WRITE_WITHIN_MS } from "./destination-line.ts";
import { holdTags } from "./hold-stream.ts";
import { destinationUrl, failureKind, failureMessage, LineEndedError } from "./line-failure.ts";

/** How much is published: a service that closes on a wrong key does so within it. */
export const TEST_MEDIA_MS = 2_000;
/** Kept back for the goodbye. */
const END_WITHIN_MS = 2_500;
/** Reports are short. */
const MAX_ERROR_CHARS = 500;

export interface DestinationTestOptions {
	readonly dial: Dial;
	readonly clock: Clock;
	/** Ends it before its time. */
	readonly signal?: AbortSignal;
}

/**
 * Publishes two seconds of black and silence to a destination and says how far it came. Never rejects: what goes wrong is the report. A
 * service may show it to viewers, as any stream that is sent there.
 */
export async function testDestination(
	target: PublishTarget,
	options: DestinationTestOptions,
): Promise<DestinationTestReport> {
	return await new DestinationTest(target, options).run();
}

class DestinationTest {
	readonly #target: PublishTarget;
	readonly #options: DestinationTestOptions;
	readonly #steps: { step: DestinationTestStep; ms: number }[] = [];
	#stepBeganMs: number;
	#publisher: RtmpPublisher | undefined;

	constructor(target: PublishTarget, options: DestinationTestOptions) {
		this.#target = target;
		this.#options = options;
		this.#stepBeganMs = options.clock.nowMs();
	}

	async run(): Promise<DestinationTestReport> {
		const { clock, signal } = this.#options;
		const late = new AbortController();
		const workMs = DESTINATION_TEST_WITHIN_MS - END_WITHIN_MS;
		const cancel = clock.after(workMs, () => {
			late.abort(new Error(`egress: expected the test to be done within ${workMs / 1_000} s, got no further`));
		});
		let url: RtmpUrl | undefined;
		try {
			url = destinationUrl(this.#target);
			await this.#publish(url, signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]));
			return { ok: true, steps: this.#steps, bytes: this.#bytes };
		} catch (error) {
			const message = url === undefined ? messageOf(error) : failureMessage(error, url);
			const refused = failureKind(error) !== "broken";
			return { ok: false, steps: this.#steps, error: message.slice(0, MAX_ERROR_CHARS), refused, bytes: this.#bytes };
		} finally {
			cancel();
			// Says nothing where the goodbye has been said.
			await this.#publisher?.close({ final: true });
		}
	}

	get #bytes(): number {
		return this.#publisher?.bytesSent ?? 0;
	}

	async #publish(url: RtmpUrl, signal: AbortSignal): Promise<void> {
		const { clock } = this.#options;
		const publisher = await RtmpPublisher.dial((to) => this.#dial(to, signal), {
			url,
			signal,
			timers: clock,
			timeouts: { stallMs: WRITE_WITHIN_MS, closeMs: END_WITHIN_MS - 500 },
			onStep: (step) => this.#done(step),
		});
		this.#publisher = publisher;
		const ended = new AbortController();
		publisher.closed.then((reason) => ended.abort(new LineEndedError(reason)));
		try {
			await this.#media(publisher, AbortSignal.any([signal, ended.signal]));
		} catch (error) {
			if (signal.aborted || error instanceof LineEndedError) {
				throw error;
			}
			// What broke while it was being written to mostly had more to say: how the line ended is known a moment later.
			throw new LineEndedError(await unlessAborted(publisher.closed, signal));
		}
		this.#done("media");
		await publisher.close({ final: true });
		this.#done("end");
	}

	async #dial(url: RtmpUrl, signal: AbortSignal) {
		const { clock, dial } = this.#options;
		const late = new AbortController();
		const cancel = clock.after(DIAL_WITHIN_MS, () => {
			late.abort(new Error(`egress: expected a connection within ${DIAL_WITHIN_MS / 1_000} s, got none`));
		});
		const either = AbortSignal.any([signal, late.signal]);
		const transport = await unlessAborted(dial(url, either), either).finally(cancel);
		this.#done("dial");
		return transport;
	}

	/** At the speed of a clock on the wall: a burst would say less of the way there. */
	async #media(publisher: RtmpPublisher, signal: AbortSignal): Promise<void> {
		const { clock } = this.#options;
		const { width, height, frameRate } = this.#target;
		const beganMs = clock.nowMs();
		await unlessAborted(publisher.sendMetadata(this.#target), signal);
		for (const tag of holdTags({ width, height, frameRate }, TEST_MEDIA_MS)) {
			const waitMs = beganMs + tag.timestampMs - clock.nowMs();
			if (waitMs > 0) {
				await sleep(clock, waitMs, signal);
			}
			await unlessAborted(publisher.sendTag(tag), signal);
		}
		await sleep(clock, Math.max(0, beganMs + TEST_MEDIA_MS - clock.nowMs()), signal);
	}

	/** A step that is done again, after a redirect, is one step that took longer. */
	#done(step: DestinationTestStep): void {
		const nowMs = this.#options.clock.nowMs();
		const ms = nowMs - this.#stepBeganMs;
		this.#stepBeganMs = nowMs;
		const before = this.#steps.find((other) => other.step === step);
		if (before === undefined) {
			this.#steps.push({ step, ms });
		} else {
			before.ms += ms;
		}
	}
}

function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : "egress: expected an RTMP address, got another";
}
