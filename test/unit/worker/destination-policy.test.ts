import fc from "fast-check";
import { expect, test } from "vitest";
import { checkDestination, redactDestinationUrl } from "../../../egress/destination-policy.ts";

const PUBLIC = { allowPrivate: false };
const LOCAL = { allowPrivate: true };

const privateHosts = {
	"a loopback address": "127.0.0.1",
	"another loopback address": "127.255.255.254",
	"loopback in decimal": "2130706433",
	"loopback in octal": "0177.0.0.1",
	"loopback in hexadecimal": "0x7f000001",
	"loopback in two parts": "127.1",
	"loopback in three parts": "127.0.1",
	"loopback in mixed parts": "0x7f.1",
	"a final dot": "127.0.0.1.",
	"this host": "0.0.0.0",
	"zero, short": "0",
	"class A private": "10.1.2.3",
	"class B private, first": "172.16.0.0",
	"class B private, last": "172.31.255.255",
	"class C private": "192.168.1.1",
	"carrier-grade NAT": "100.64.0.1",
	"link-local": "169.254.1.1",
	"cloud metadata": "169.254.169.254",
	"cloud metadata in decimal": "2852039166",
	documentation: "203.0.113.7",
	benchmarking: "198.18.0.1",
	multicast: "224.0.0.1",
	broadcast: "255.255.255.255",
	localhost: "localhost",
	"localhost in capitals": "LOCALHOST",
	"localhost with a final dot": "localhost.",
	"below localhost": "a.localhost",
	"an internal name": "metadata.google.internal",
	"a single word": "rtmp-server",
	"a multicast DNS name": "studio.local",
	"a home network": "box.home.arpa",
	"IPv6 loopback": "[::1]",
	"IPv6 loopback in full": "[0:0:0:0:0:0:0:1]",
	"IPv6 unspecified": "[::]",
	"IPv6 unique local": "[fd12:3456:789a::1]",
	"IPv6 unique local, first": "[fc00::1]",
	"IPv6 link-local": "[fe80::1]",
	"IPv6 site-local": "[fec0::1]",
	"IPv6 multicast": "[ff02::1]",
	"IPv6 documentation": "[2001:db8::1]",
	Teredo: "[2001::1]",
	"IPv4-mapped loopback": "[::ffff:127.0.0.1]",
	"IPv4-mapped private, in groups": "[::ffff:c0a8:101]",
	"IPv4-translated loopback": "[::ffff:0:127.0.0.1]",
	"IPv4-compatible": "[::127.0.0.1]",
	"NAT64 to private": "[64:ff9b::10.0.0.1]",
	"NAT64, local use": "[64:ff9b:1::8.8.8.8]",
	"6to4 to private": "[2002:c0a8:101::1]",
	discard: "[100::1]",
};

const publicHosts = {
	"a name": "live-api-s.facebook.com",
	"a name that only begins like a private one": "localhost.example.com",
	"a name that only ends like one": "notlocal.example",
	"a name of digits and letters": "a10.1.2.3.example",
	"an address": "8.8.8.8",
	"just above carrier-grade NAT": "100.128.0.0",
	"just below class B private": "172.15.255.255",
	"just above class B private": "172.32.0.0",
	IPv6: "[2606:4700:4700::1111]",
	"IPv4-mapped public": "[::ffff:8.8.8.8]",
	"NAT64 to public": "[64:ff9b::8.8.8.8]",
	"6to4 to public": "[2002:808:808::1]",
};

for (const [name, host] of Object.entries(privateHosts)) {
	test(`refuses ${name}, unless private destinations are allowed`, () => {
		for (const url of [`rtmp://${host}/app/key`, `rtmps://${host}:443/app/key`, `rtmp://user:pass@${host}/app/key`]) {
			expect(checkDestination({ url }, PUBLIC)).toMatchObject({ ok: false, refusal: { kind: "destination-refused" } });
			expect(checkDestination({ url }, LOCAL).ok).toBe(true);
		}
	});
}

for (const [name, host] of Object.entries(publicHosts)) {
	test(`takes ${name}`, () => {
		for (const url of [`rtmp://${host}/app/key`, `rtmps://${host}:1935/app/key?a=b&c=d`]) {
			expect(checkDestination({ url }, PUBLIC)).toEqual({ ok: true, value: null });
		}
		expect(checkDestination({ url: `rtmp://${host}/app`, streamKey: "k" }, PUBLIC).ok).toBe(true);
	});
}

const malformed = {
	"no scheme": "live.example.com/app/key",
	"another scheme": "http://live.example.com/app/key",
	"rtmp over HTTP": "rtmpt://live.example.com/app/key",
	"no host": "rtmp:///app/key",
	"one slash": "rtmp:/live.example.com/app/key",
	"port 0": "rtmp://live.example.com:0/app/key",
	"port too large": "rtmp://live.example.com:65536/app/key",
	"a port in words": "rtmp://live.example.com:x/app/key",
	"a backslash, at which parsers disagree": "rtmp://live.example.com\\@127.0.0.1/app/key",
	"two at signs": "rtmp://a@b@live.example.com/app/key",
	"a space": "rtmp://live.example.com/app /key",
	"a line break": "rtmp://live.example.com/app\r\n/key",
	"a tab in the host": "rtmp://live.exam\tple.com/app/key",
	"an escaped host": "rtmp://%31%32%37.0.0.1/app/key",
	"full-width digits": "rtmp://\uff11\uff12\uff17.0.0.1/app/key",
	"an address with a zone": "rtmp://[fe80::1%25eth0]/app/key",
	"an open bracket": "rtmp://[::1/app/key",
	"no application": "rtmp://live.example.com",
	"no application but a slash": "rtmp://live.example.com/",
	"only a query": "rtmp://live.example.com/?key",
	"no key": "rtmp://live.example.com/app",
	"no key but a slash": "rtmp://live.example.com/app/",
	"too long": `rtmp://live.example.com/app/${"k".repeat(2_048)}`,
};

for (const [name, url] of Object.entries(malformed)) {
	test(`refuses an address with ${name}, private destinations allowed or not`, () => {
		for (const options of [PUBLIC, LOCAL]) {
			expect(checkDestination({ url }, options)).toMatchObject({ ok: false, refusal: { kind: "destination-refused" } });
		}
	});
}

test("shows host and application, and hides whatever may be a key", () => {
	const shown = {
		"rtmp://live.example.com/app": "rtmp://live.example.com/app",
		"rtmps://live.example.com:443/rtmp/": "rtmps://live.example.com:443/rtmp/",
		"rtmp://live.example.com/app/secret": "rtmp://live.example.com/app/…",
		"rtmp://live.example.com/app/inst/secret": "rtmp://live.example.com/app/…",
		"rtmp://live.example.com/app/secret?sig=secret": "rtmp://live.example.com/app/…",
		"rtmp://live.example.com/live2?backup=secret": "rtmp://live.example.com/live2",
		"rtmp://user:secret@[2606:4700::1]:1935/app/secret": "rtmp://[2606:4700::1]:1935/app/…",
		"not an address with a secret": "…",
	};
	for (const [url, expected] of Object.entries(shown)) {
		expect(redactDestinationUrl(url)).toBe(expected);
	}
});

test("no message tells the address's path, and every IPv4 address is judged alike in every notation", () => {
	fc.assert(
		fc.property(fc.nat({ max: 0xffff_ffff }), (address) => {
			const parts = [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256);
			const notations = [
				parts.join("."),
				String(address),
				`0x${address.toString(16)}`,
				parts.map((part) => `0${part.toString(8)}`).join("."),
				`[::ffff:${parts.join(".")}]`,
			];
			const answers = notations.map((host) => checkDestination({ url: `rtmp://${host}/app/se-cret` }, PUBLIC));
			expect(new Set(answers.map(({ ok }) => ok)).size).toBe(1);
			expect(JSON.stringify(answers)).not.toContain("se-cret");
		}),
	);
});
