import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { checkWebhookAddress } from "../../../worker/api/webhook-address.ts";
import { DELIVERY_TIMEOUT_MS, type Delivery, deliver } from "../../../worker/broadcast/events/webhook-delivery.ts";
import { deliverySecrets, deploymentWebhooks } from "../../../worker/broadcast/events/webhook-message.ts";
import {
	DELIVER_WITHIN_MS,
	delivered,
	deliveryStep,
	failed,
	givenUp,
	newDeliveryState,
	rangeOf,
	replaying,
	WEBHOOK_RETRY,
	withoutReplay,
} from "../../../worker/broadcast/events/webhook-schedule.ts";
import { newWebhookSecret, webhookSignature } from "../../../worker/broadcast/events/webhook-signature.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

describe("the signature", () => {
	test("is that of the specification's example", async () => {
		// Also by `openssl dgst -sha256 -mac HMAC`.
		const example = { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestampS: 1_614_265_330, body: '{"test": 2432232314}' };
		expect(await webhookSignature(example, SECRET)).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
	});

	test("is that of another implementation, one for each of two secrets", async () => {
		const secrets = [newWebhookSecret(), newWebhookSecret()];
		const expected = secrets.map((secret) => {
			const hmac = createHmac("sha256", Buffer.from(secret.slice("whsec_".length), "base64"));
			return `v1,${hmac.update("b.1.7.a ü").digest("base64")}`;
		});
		const signed = { id: "b.1", timestampS: 7, body: "a ü" };
		expect(await webhookSignature(signed, secrets.join(" "))).toBe(expected.join(" "));
		expect(secrets[0]).not.toBe(secrets[1]);
	});

	test.each(["", "whsec_", "whsec_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_!!!!", `whsec_${"A".repeat(88)}`])(
		"is refused under the secret %j, without showing it",
		async (secret) => {
			const signing = webhookSignature({ id: "b.1", timestampS: 7, body: "" }, secret);
			await expect(signing).rejects.toThrow(/^webhook: expected a secret whsec_ and 24 to 64 bytes in base64/);
		},
	);
});

describe("a delivery", () => {
	const DELIVERY: Delivery = { url: "https://h.example/s3cret", id: "b.1", body: "{}", secrets: SECRET };

	function attempt(answer: (init: RequestInit) => Promise<Response>) {
		const timers: { ms: number; action: () => void }[] = [];
		const requests: RequestInit[] = [];
		const result = deliver(DELIVERY, {
			fetch: ((_: string, init: RequestInit) => {
				requests.push(init);
				return answer(init);
			}) as unknown as typeof fetch,
			nowMs: 1_614_265_330_999,
			after: (ms, action) => {
				const timer = { ms, action };
				timers.push(timer);
				return () => timers.splice(timers.indexOf(timer), 1);
			},
		});
		return { result, timers, requests };
	}

	const status = (code: number) => async () => new Response(null, { status: code });

	test.each([200, 202, 204, 299])("that is answered %i has come", async (code) => {
		const { result, timers, requests } = attempt(status(code));
		expect(await result).toEqual({ kind: "delivered" });
		expect(timers).toEqual([]);
		expect(requests[0]).toMatchObject({
			method: "POST",
			redirect: "manual",
			headers: {
				"webhook-id": "b.1",
				"webhook-timestamp": "1614265330",
				"webhook-signature": expect.stringMatching(/^v1,/),
			},
		});
	});

	test.each([301, 302, 307, 400, 401, 404, 429, 500, 503])("that is answered %i has failed", async (code) => {
		const { result } = attempt(status(code));
		expect(await result).toEqual({ kind: "failed", error: `webhook: expected status 2xx, got ${code}` });
	});

	test("that is answered 410 was the last one", async () => {
		expect(await attempt(status(410)).result).toEqual({ kind: "gone" });
	});

	test("that cannot be made has failed, and says nothing of the address", async () => {
		const { result, timers } = attempt(async () => {
			throw new Error("cannot connect to https://h.example/s3cret");
		});
		expect(await result).toEqual({
			kind: "failed",
			error: "webhook: expected an answer within 10 s, got no connection",
		});
		expect(timers).toEqual([]);
	});

	test("that is not answered in time is broken off", async () => {
		let waits: () => void = () => {};
		const isWaiting = new Promise<void>((resolve) => {
			waits = resolve;
		});
		const { result, timers } = attempt(
			({ signal }) =>
				new Promise((_, reject) => {
					signal?.addEventListener("abort", () => reject(new Error("aborted")));
					waits();
				}),
		);
		await isWaiting;
		expect(timers.map(({ ms }) => ms)).toEqual([DELIVERY_TIMEOUT_MS]);
		timers[0]?.action();
		expect(await result).toEqual({ kind: "failed", error: "webhook: expected an answer within 10 s, got none" });
	});
});

describe("the schedule", () => {
	const EVENT = { atMs: 0 };

	test("sends what is there, and is idle when nothing is", () => {
		expect(deliveryStep(newDeliveryState(0), EVENT, 0)).toEqual({ kind: "send" });
		expect(deliveryStep(newDeliveryState(0), undefined, 0)).toEqual({ kind: "idle" });
		expect(rangeOf(newDeliveryState(7))).toEqual({ after: 7 });
	});

	test("waits from 5 s to an hour between failures, with jitter, and starts anew after a success", () => {
		let state = newDeliveryState(0);
		const waits: number[] = [];
		for (let count = 0; count < 14; count++) {
			state = failed(state, "e", 0, 0.999_999);
			waits.push(Math.round((state.nextAttemptMs ?? 0) / 1_000));
		}
		expect(waits).toEqual([5, 10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 3_600, 3_600, 3_600, 3_600]);
		expect(failed(newDeliveryState(0), "e", 0, 0).nextAttemptMs).toBe(WEBHOOK_RETRY.firstMs / 2);
		expect(delivered(state, 1, undefined)).toEqual(newDeliveryState(1));
	});

	test("gives an event up 24 h after it happened, in the middle of a wait, and keeps waiting for the next", () => {
		const waiting = { cursor: 0, failures: 9, nextAttemptMs: DELIVER_WITHIN_MS + 1_000, lastError: "e" };
		expect(deliveryStep(waiting, EVENT, 1)).toEqual({ kind: "wait", untilMs: DELIVER_WITHIN_MS });
		expect(deliveryStep(waiting, EVENT, DELIVER_WITHIN_MS)).toEqual({ kind: "give-up" });
		const next = givenUp(waiting, 1);
		expect(next).toEqual({ ...waiting, cursor: 1 });
		expect(deliveryStep(next, { atMs: 5 }, DELIVER_WITHIN_MS)).toEqual({
			kind: "wait",
			untilMs: DELIVER_WITHIN_MS + 5,
		});
	});

	test("replays a range in order before what is new, with the time of new ones", () => {
		const atMs = 2 * DELIVER_WITHIN_MS;
		let state = replaying({ cursor: 9, failures: 3, nextAttemptMs: atMs * 2 }, 3, 5, atMs);
		expect(state).toEqual({ cursor: 9, failures: 0, replay: { next: 3, to: 5, askedAtMs: atMs } });
		for (const sequence of [3, 4, 5]) {
			expect(rangeOf(state)).toEqual({ after: sequence - 1, upTo: 5 });
			expect(deliveryStep(state, EVENT, atMs)).toEqual({ kind: "send" });
			state = delivered(state, sequence, state.replay);
		}
		expect(state).toEqual(newDeliveryState(9));
	});

	test("ends a replay of which nothing is left, gives its events up like others, and goes on", () => {
		const state = replaying(newDeliveryState(9), 3, 5, 0);
		expect(deliveryStep(state, undefined, 0)).toEqual({ kind: "replayed" });
		expect(withoutReplay(state)).toEqual(newDeliveryState(9));
		expect(deliveryStep(state, EVENT, DELIVER_WITHIN_MS)).toEqual({ kind: "give-up" });
		expect(givenUp(state, 4)).toMatchObject({ cursor: 9, replay: { next: 5 } });
		expect(givenUp(state, 5)).toEqual(newDeliveryState(9));
	});

	test("joins a replay that is asked for while another one's delivery, or a new one's, is on its way", () => {
		const first = replaying(newDeliveryState(9), 5, 7, 0);
		const joined = replaying(first, 2, 3, 1);
		expect(joined.replay).toEqual({ next: 2, to: 7, askedAtMs: 1 });
		// The delivery of 5 that comes to its end now must not pass over 2 to 4.
		expect(delivered(joined, 5, first.replay)).toMatchObject({ cursor: 9, replay: { next: 2 } });
		const asked = replaying(newDeliveryState(9), 2, 3, 1);
		expect(delivered(asked, 10, undefined)).toMatchObject({ cursor: 10, replay: { next: 2 } });
	});
});

describe("an address", () => {
	const good = (text: string, allowPrivate = false) => checkWebhookAddress(text, { allowPrivate });

	test.each(["https://example.com", "https://example.com:8443/a?b=c", "https://8.8.8.8/"])("%s is good", (url) => {
		expect(good(url).ok).toBe(true);
	});

	test.each([
		"http://example.com/s3cret",
		"ftp://example.com/s3cret",
		"https://localhost/s3cret",
		"https://10.0.0.1/s3cret",
		"https://0x7f000001/s3cret",
		"https://[::1]/s3cret",
		"https://metadata.internal/s3cret",
		"https://u:s3cret@example.com/",
		"s3cret",
		"",
	])("%s is refused, and its path is not told", (url) => {
		const checked = good(url);
		expect(checked).toMatchObject({ ok: false, refusal: { kind: "webhook-refused" } });
		expect(JSON.stringify(checked)).not.toContain("s3cret");
	});

	test("may be private and plain where the deployment allows it", () => {
		expect(good("http://127.0.0.1:8080/a#b", true)).toEqual({ ok: true, value: "http://127.0.0.1:8080/a" });
		expect(good("file:///etc/passwd", true).ok).toBe(false);
	});
});

describe("the deployment's webhook", () => {
	const url = "https://example.com/all";

	test("is there when both settings are, and its secret stays in them", async () => {
		const [webhook, ...others] = deploymentWebhooks({ WEBHOOK_URL: url, WEBHOOK_SECRET: SECRET });
		expect(others).toEqual([]);
		expect(webhook).toEqual({ webhookId: "deployment", url, sealedSecret: "", events: [] });
		expect(deploymentWebhooks({ WEBHOOK_URL: url })).toEqual([]);
		expect(deploymentWebhooks({ WEBHOOK_URL: "", WEBHOOK_SECRET: SECRET })).toEqual([]);
		const row = {
			webhookId: "deployment",
			broadcastId: "b",
			url,
			sealedSecret: "",
			wanted: [],
			state: newDeliveryState(0),
		};
		expect(await deliverySecrets(row, { WEBHOOK_SECRET: SECRET })).toBe(SECRET);
		await expect(deliverySecrets(row, {})).rejects.toThrow("WEBHOOK_SECRET");
	});
});
