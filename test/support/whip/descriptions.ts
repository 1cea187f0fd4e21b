/** Descriptions as an encoder and a compositor make them, as short as they can be. */

const FINGERPRINT = `a=fingerprint:sha-256 ${Array(32).fill("0A").join(":")}`;

function section(kind: "audio" | "video", mid: string, codec: string): string[] {
	return [
		`m=${kind} 9 UDP/TLS/RTP/SAVPF 96`,
		"c=IN IP4 0.0.0.0",
		`a=mid:${mid}`,
		"a=sendonly",
		"a=ice-ufrag:abcd",
		"a=ice-pwd:0123456789012345678901",
		FINGERPRINT,
		"a=setup:actpass",
		"a=rtcp-mux",
		`a=rtpmap:96 ${codec}`,
	];
}

export const OFFER = [
	"v=0",
	"o=- 41 1 IN IP4 127.0.0.1",
	"s=-",
	"t=0 0",
	"a=group:BUNDLE 0 1",
	...section("audio", "0", "opus/48000/2"),
	...section("video", "1", "H264/90000"),
	"",
].join("\r\n");

export const CANDIDATE = "candidate:1 1 udp 1 127.0.0.1 9 typ host";

export const ANSWER = OFFER.replaceAll("sendonly", "recvonly")
	.replaceAll("actpass", "active")
	.replaceAll("abcd", "wxyz")
	.replace("a=mid:0", `a=mid:0\r\na=${CANDIDATE}`);

/** More of the encoder's candidates. */
export const TRICKLED = [
	"a=ice-ufrag:abcd",
	"a=ice-pwd:0123456789012345678901",
	"m=audio 9 RTP/AVP 0",
	"a=mid:0",
	"a=candidate:2 1 udp 1 192.0.2.1 9 typ host",
	"a=end-of-candidates",
	"",
].join("\r\n");
