import { expect, test } from "vitest";
import { call, create, env, roleToken } from "./api-client.ts";
import { type OpenApi, operationsOf, RequestMaker, seeded } from "./openapi-requests.ts";

const REQUESTS_PER_OPERATION = 25;
const SEED = 20_261_123;
/** Part of every destination's key: nothing may ever show it. */
const MARK = "markedkey";
/** Long enough for any answer that ends by itself; streams are let go after it. */
const READ_WITHIN_MS = 300;

async function documentOfApi(): Promise<OpenApi> {
	return (await call("GET", "/api/openapi.json")).json<OpenApi>();
}

/** What an answer says, or began to say. */
async function textOf(response: Response): Promise<string> {
	if (response.headers.get("Content-Type")?.startsWith("text/event-stream") !== true) {
		return response.text();
	}
	const reader = response.body?.getReader();
	const first = await Promise.race([reader?.read(), scheduler.wait(READ_WITHIN_MS)]);
	void reader?.cancel();
	return first?.value === undefined ? "" : new TextDecoder().decode(first.value);
}

test("no request makes the API fail, say what it does not document, or show a secret", async () => {
	const document = await documentOfApi();
	const operations = operationsOf(document);
	expect(operations.length).toBeGreaterThan(15);
	const random = seeded(SEED);
	const secrets = [env.ADMIN_TOKEN, env.RUNNER_TOKEN, env.SIGNING_KEY, env.ENCRYPTION_KEY, MARK].filter(
		(secret): secret is string => secret !== undefined && secret !== "",
	);
	const faults: string[] = [];
	let answered = 0;
	for (const operation of operations) {
		const broadcast = await create({
			destinations: [{ url: `rtmp://127.0.0.1:9/app/${MARK}`, streamKey: `${MARK}-2` }],
			maxGuests: 2,
		});
		const destinationId = broadcast.destinations[0]?.id ?? "";
		const webhook = await call("POST", `/api/broadcasts/${broadcast.id}/webhooks`, {
			body: { url: "http://127.0.0.1:9/" },
		});
		const { id: webhookId } = await webhook.json<{ id: string }>();
		const known = {
			id: [broadcast.id],
			destinationId: [destinationId],
			webhookId: [webhookId],
			personId: ["host", "guest", "guest-2"],
		};
		const maker = new RequestMaker(document, random, known);
		const tokens = [
			env.ADMIN_TOKEN,
			env.ADMIN_TOKEN,
			broadcast.tokens.host,
			broadcast.tokens.guest,
			broadcast.tokens.viewer,
			await roleToken(broadcast.id, "host", { expiresInS: -1 }),
			"garbage",
			undefined,
		];
		for (let count = 0; count < REQUESTS_PER_OPERATION; count++) {
			const { method, path, headers, body } = maker.make(operation);
			const token = tokens[Math.floor(random() * tokens.length)];
			const response = await call(method, path, { token, headers, ...(body === undefined ? {} : { body }) });
			const text = await textOf(response);
			answered++;
			const said = `${method} ${path.slice(0, 120)} → ${response.status}`;
			if (response.status >= 500) {
				faults.push(`${said}: ${text.slice(0, 300)} for ${body?.slice(0, 300)}`);
			}
			if (response.status >= 400 && response.headers.get("Content-Type") !== "application/problem+json") {
				faults.push(`${said}: expected a problem document, got ${response.headers.get("Content-Type")}`);
			}
			const documented = operation.operation.responses ?? {};
			if (response.status < 400 && documented[String(response.status)] === undefined) {
				faults.push(`${said}: expected ${Object.keys(documented).join(" or ")}`);
			}
			for (const secret of secrets) {
				if (text.includes(secret) || JSON.stringify([...response.headers]).includes(secret)) {
					faults.push(`${said}: shows a secret`);
				}
			}
		}
	}
	expect(faults.slice(0, 20)).toEqual([]);
	expect(answered).toBe(operations.length * REQUESTS_PER_OPERATION);
}, 180_000);
