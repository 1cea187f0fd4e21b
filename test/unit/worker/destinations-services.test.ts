import { expect, test } from "vitest";
import { checkDestination } from "../../../egress/destination-policy.ts";
import { placement } from "../../../worker/destinations/placement.ts";
import { SERVICE_PRESETS, serviceInForce, serviceOfHost } from "../../../worker/destinations/services.ts";
import { DESTINATION_SERVICES } from "../../../worker/protocol/broadcast-commands.ts";

const KEY = "a-stream-key";

for (const service of DESTINATION_SERVICES.filter((each) => each !== "custom")) {
	const { servers, domains } = SERVICE_PRESETS[service];

	test(`${service}: its own servers are recognised as its own, and may be published to`, () => {
		expect(servers.length).toBeGreaterThan(0);
		for (const { url } of servers) {
			expect(serviceOfHost(new URL(url.replace(/^rtmps:/, "https:")).hostname)).toBe(service);
			expect(checkDestination({ url, streamKey: KEY }, { allowPrivate: false }).ok).toBe(true);
		}
	});

	test(`${service}: a key alone goes to its usual server`, () => {
		expect(placement({ service, streamKey: KEY })).toMatchObject({
			ok: true,
			value: { address: { url: servers[0]?.url, streamKey: KEY } },
		});
	});

	test(`${service}: hosts below its domains are its own, and none that only end alike`, () => {
		for (const domain of domains) {
			expect(serviceOfHost(domain.toUpperCase())).toBe(service);
			expect(serviceOfHost(`live-1.${domain}.`)).toBe(service);
			expect(serviceOfHost(`not${domain}`)).toBeUndefined();
			expect(serviceOfHost(`${domain}.example.com`)).toBeUndefined();
		}
	});
}

test("what is nobody's host is custom, also where Amazon IVS shares Twitch's domain", () => {
	expect(serviceOfHost("live.example.com")).toBeUndefined();
	expect(serviceOfHost("0123456789ab.global-contribute.live-video.net")).toBeUndefined();
	expect(serviceInForce("custom", "live.example.com")).toBe("custom");
	expect(serviceInForce("custom", "a.rtmp.youtube.com")).toBe("youtube");
	expect(serviceInForce("twitch", "relay.example.com")).toBe("twitch");
});

test("an address that was given is never changed", () => {
	for (const url of ["rtmp://a.rtmp.youtube.com/live2", "RTMPS://Live.Example.com:443/app/"]) {
		expect(placement({ service: "custom", url, streamKey: KEY })).toMatchObject({
			ok: true,
			value: { address: { url, streamKey: KEY }, via: "edge" },
		});
	}
});

const CLOUDFLARE_URL = "rtmps://live.cloudflare.com:443/live/";

test.each([
	["a key alone, of Cloudflare Stream", { service: "cloudflare-stream" }, "runner"],
	["Cloudflare Stream, said to be custom", { service: "custom", url: CLOUDFLARE_URL }, "runner"],
	["Cloudflare's host, said to be another's", { service: "twitch", url: CLOUDFLARE_URL }, "runner"],
	[
		"Cloudflare Stream by a host of one's own",
		{ service: "cloudflare-stream", url: "rtmps://in.example.com/live" },
		"runner",
	],
	["a custom host", { service: "custom", url: "rtmp://in.example.com/live" }, "edge"],
	["a custom host by a runner", { service: "custom", url: "rtmp://in.example.com/live", via: "runner" }, "runner"],
] as const)("%s leaves where it can", (_, asked, via) => {
	expect(placement({ ...asked, streamKey: KEY })).toMatchObject({ ok: true, value: { via } });
});

test.each([
	[
		{ service: "cloudflare-stream", via: "edge" },
		"destination-refused",
		/expected via runner, got edge: a Worker may not/,
	],
	[{ service: "custom", url: CLOUDFLARE_URL, via: "edge" }, "destination-refused", /expected via runner, got edge/],
	[
		{ service: "facebook", url: "rtmp://relay.example.com/rtmp/" },
		"destination-refused",
		/rtmps:\/\/.+Facebook Live.+rtmp:\/\//,
	],
	[{ service: "custom", url: "rtmp://live-api-s.facebook.com:80/rtmp/" }, "destination-refused", /Facebook Live/],
	[
		{ service: "youtube", url: "rtmp://user:pass@live-api-s.facebook.com/rtmp/" },
		"destination-refused",
		/Facebook Live/,
	],
	[{ service: "custom" }, "invalid-request", /expected a url/],
] as const)("refuses what can never work: %o", (asked, kind, detail) => {
	const outcome = placement({ ...asked, streamKey: KEY });
	expect(outcome).toMatchObject({ ok: false, refusal: { kind, detail: expect.stringMatching(detail) } });
	expect(JSON.stringify(outcome)).not.toContain(KEY);
});
