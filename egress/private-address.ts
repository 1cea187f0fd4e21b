/**
 * Whether a host, as the URL standard writes it (`new URL("http://…").hostname`: IPv4 always dotted decimal, IPv6 always compressed in
 * brackets, names lower case), is somewhere the public internet does not reach. Names are judged by their form alone; the platform
 * itself refuses public names that resolve to private addresses.
 */
export function isPrivateHost(hostname: string): boolean {
	if (hostname.startsWith("[")) {
		const groups = parseIpv6(hostname.slice(1, -1));
		return groups === undefined || isPrivateIpv6(groups);
	}
	const address = parseIpv4(hostname);
	return address === undefined ? isPrivateName(hostname) : isPrivateIpv4(address);
}

/** Special-purpose IPv4 blocks (RFC 6890 and the IANA registry) as first address and prefix length. */
const PRIVATE_IPV4_BLOCKS: readonly (readonly [string, number])[] = [
	["0.0.0.0", 8],
	["10.0.0.0", 8],
	["100.64.0.0", 10], // carrier-grade NAT
	["127.0.0.0", 8],
	["169.254.0.0", 16], // link-local, and where clouds keep their metadata
	["172.16.0.0", 12],
	["192.0.0.0", 24],
	["192.0.2.0", 24],
	["192.88.99.0", 24],
	["192.168.0.0", 16],
	["198.18.0.0", 15],
	["198.51.100.0", 24],
	["203.0.113.0", 24],
	["224.0.0.0", 3], // multicast, reserved, broadcast
];

/** Domains that are only ever resolved inside some network (RFC 6761, RFC 6762, RFC 8375, ICANN's `.internal`, and common usage). */
const PRIVATE_DOMAINS = [
	"localhost",
	"local",
	"internal",
	"intranet",
	"lan",
	"home",
	"corp",
	"home.arpa",
	"invalid",
	"test",
];

function isPrivateName(hostname: string): boolean {
	const name = hostname.replace(/\.$/, "");
	if (!name.includes(".")) {
		return true;
	}
	return PRIVATE_DOMAINS.some((domain) => name === domain || name.endsWith(`.${domain}`));
}

function isPrivateIpv4(address: number): boolean {
	return PRIVATE_IPV4_BLOCKS.some(([first, prefixLength]) => {
		const size = 2 ** (32 - prefixLength);
		const start = parseIpv4(first) ?? 0;
		return address >= start && address < start + size;
	});
}

function isPrivateIpv6(groups: readonly number[]): boolean {
	const [g0 = 0, g1 = 0] = groups;
	const leadingZeros = groups.findIndex((group) => group !== 0);
	const lastAddress = ipv4FromGroups(groups[6], groups[7]);
	if (leadingZeros === -1 || leadingZeros >= 6) {
		return true; // ::, ::1 and the deprecated IPv4-compatible block
	}
	if (leadingZeros === 5 && groups[5] === 0xffff) {
		return isPrivateIpv4(lastAddress); // ::ffff:0:0/96, IPv4-mapped
	}
	if (leadingZeros === 4 && groups[4] === 0xffff && groups[5] === 0) {
		return isPrivateIpv4(lastAddress); // ::ffff:0:0:0/96, IPv4-translated
	}
	if (g0 === 0x64 && g1 === 0xff9b) {
		// 64:ff9b::/96 reaches IPv4; 64:ff9b:1::/48 is local use.
		return groups.slice(2, 6).some((group) => group !== 0) || isPrivateIpv4(lastAddress);
	}
	if (g0 === 0x2002) {
		return isPrivateIpv4(ipv4FromGroups(groups[1], groups[2])); // 6to4
	}
	if (g0 === 0x2001) {
		return g1 < 0x200 || g1 === 0xdb8; // Teredo, ORCHID and other protocol assignments; documentation
	}
	// Everything routed on the public internet is in 2000::/3: unique-local, link-local, site-local and multicast are not.
	return g0 < 0x2000 || g0 > 0x3fff;
}

function ipv4FromGroups(high = 0, low = 0): number {
	return high * 0x10000 + low;
}

function parseIpv4(text: string): number | undefined {
	const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
	return parts?.every((part) => part <= 255) ? parts.reduce((address, part) => address * 256 + part, 0) : undefined;
}

/** The eight groups of a compressed IPv6 address without a dotted tail, which the URL standard never writes. */
function parseIpv6(text: string): number[] | undefined {
	const [head = "", tail, ...rest] = text.split("::");
	const before = head === "" ? [] : head.split(":");
	const after = tail === undefined || tail === "" ? [] : tail.split(":");
	const missing = 8 - before.length - after.length;
	if (rest.length > 0 || (tail === undefined ? missing !== 0 : missing < 1)) {
		return undefined;
	}
	const groups = [...before, ...Array<string>(missing).fill("0"), ...after];
	return groups.every((group) => /^[0-9a-f]{1,4}$/.test(group))
		? groups.map((group) => Number.parseInt(group, 16))
		: undefined;
}
