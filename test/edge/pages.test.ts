import { describe, expect, test } from "vitest";
import { createApp } from "../../worker/api/app.ts";
import type { Env } from "../../worker/env.ts";
import { create, env } from "./api-client.ts";

/** The built pages, as the platform serves them: a folder's index.html at the folder. */
function assets(files: Readonly<Record<string, string>>): Fetcher {
	const fetch = async (request: Request) => {
		const page = files[new URL(request.url).pathname];
		if (page === undefined) {
			return new Response("not there", { status: 404 });
		}
		if (request.headers.get("If-None-Match") === '"built"') {
			return new Response(null, { status: 304, headers: { ETag: '"built"' } });
		}
		return new Response(page, { headers: { "Content-Type": "text/html; charset=utf-8", ETag: '"built"' } });
	};
	return { fetch } as unknown as Fetcher;
}

const BUILT = { "/studio/": "the studio", "/join/": "the way in" };

function get(path: string, options: { files?: Readonly<Record<string, string>>; headers?: HeadersInit } = {}) {
	const request = new Request(`https://tandem.example${path}`, { headers: options.headers ?? {} });
	return createApp().fetch(request, { ...env, ASSETS: assets(options.files ?? BUILT) } as Env);
}

describe("the pages of host and guests", () => {
	test.each([
		["/studio/0123456789abcdef", "the studio"],
		["/studio/0123456789abcdef/", "the studio"],
		["/studio", "the studio"],
		["/studio/no-such-id", "the studio"],
		["/join/0123456789abcdef", "the way in"],
		["/join/", "the way in"],
		["/join/index.html", "the way in"],
	])("answers %s with the page, whether there is such a broadcast or not", async (path, page) => {
		const response = await get(path);
		expect(response.status).toBe(200);
		expect(response.headers.get("Content-Type")).toBe("text/html; charset=utf-8");
		expect(await response.text()).toBe(page);
	});

	test("lets nothing but this deployment into them, and no address out of them", async () => {
		const { id } = await create();
		const { headers } = await get(`/studio/${id}`);
		const policy = new Map(
			(headers.get("Content-Security-Policy") ?? "").split("; ").map((rule) => {
				const [name = "", ...values] = rule.split(" ");
				return [name, values.join(" ")] as const;
			}),
		);
		expect(policy.get("default-src")).toBe("'none'");
		expect(policy.get("script-src")).toBe("'self' 'wasm-unsafe-eval'");
		expect(policy.get("style-src")).toBe("'self'");
		expect(policy.get("connect-src")).toBe("'self' ws://tandem.example wss://tandem.example");
		expect(policy.get("frame-ancestors")).toBe("'none'");
		expect(policy.get("base-uri")).toBe("'none'");
		expect(headers.get("Referrer-Policy")).toBe("no-referrer");
		expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
		expect(headers.get("Cache-Control")).toBe("no-cache");
	});

	test("lets a page itself have camera, microphone and screen, and nobody else", async () => {
		const { headers } = await get("/join/x");
		const allowed = (headers.get("Permissions-Policy") ?? "").split(", ");
		expect(allowed).toEqual(
			expect.arrayContaining(["camera=(self)", "microphone=(self)", "display-capture=(self)", "geolocation=()"]),
		);
	});

	test("is not sent again to whoever has it, with the headers of today", async () => {
		const response = await get("/join/x", { headers: { "If-None-Match": '"built"' } });
		expect(response.status).toBe(304);
		expect(response.headers.get("Content-Security-Policy")).toContain("default-src 'none'");
	});

	test("says what is missing where the pages were not built", async () => {
		const response = await get("/studio/x", { files: {} });
		expect(response.status).toBe(503);
		expect(await response.json()).toMatchObject({ detail: expect.stringContaining("build it") });
	});

	test("takes nothing but GET, and no deeper path", async () => {
		expect(
			(await createApp().fetch(new Request("https://tandem.example/studio/x", { method: "POST" }), env)).status,
		).toBe(404);
		expect((await get("/studio/x/y")).status).toBe(404);
	});
});
