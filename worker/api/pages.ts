import type { Context, MiddlewareHandler } from "hono";
import type { ApiEnv } from "./api-app.ts";
import { ApiProblem } from "./api-problem.ts";
import { pageHeaders } from "./page-headers.ts";

export const PEOPLES_PAGES = ["studio", "join"] as const;
type PeoplesPage = (typeof PEOPLES_PAGES)[number];

/**
 * For `/{page}/*`: the page at `/{page}/{id}`, one file whatever the id. Whether there is such a broadcast is asked by the page, which says so
 * in words. No part of the API, hence no route of its own.
 */
export function servePage(page: PeoplesPage): MiddlewareHandler<ApiEnv> {
	const address = new RegExp(`^/${page}(/[^/]*/?)?$`);
	return (c, next) => {
		const asked = c.req.method === "GET" || c.req.method === "HEAD";
		return asked && address.test(c.req.path) ? answerWith(c, page) : next();
	};
}

async function answerWith(c: Context<ApiEnv>, page: PeoplesPage): Promise<Response> {
	const url = new URL(c.req.url);
	const request = new Request(new URL(`/${page}/`, url), { method: c.req.method, headers: c.req.raw.headers });
	const asset = await c.env.ASSETS?.fetch(request);
	if (asset === undefined || (asset.status !== 200 && asset.status !== 304)) {
		await asset?.body?.cancel();
		throw new ApiProblem("not-configured", `pages: expected dist/assets to hold the page ${page}, got none: build it`);
	}
	const answer = new Response(asset.body, asset);
	for (const [name, value] of Object.entries(pageHeaders(url.host))) {
		answer.headers.set(name, value);
	}
	return answer;
}
