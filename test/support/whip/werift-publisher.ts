import { MediaStreamTrack, RTCPeerConnection, RTCRtpCodecParameters } from "werift";
import { feedRtp, type RtpPicture } from "./rtp-feed.ts";
import { WhipClient } from "./whip-client.ts";

export interface WeriftPublisher extends AsyncDisposable {
	readonly client: WhipClient;
	readonly connection: RTCPeerConnection;
}

/** Publishes by WHIP with werift, a WebRTC stack in TypeScript: H.264 and Opus, candidates told after the offer. */
export async function publishWithWerift(picture: RtpPicture, url: string, bearer: string): Promise<WeriftPublisher> {
	const undo = new AsyncDisposableStack();
	const connection = new RTCPeerConnection({
		bundlePolicy: "max-bundle",
		iceServers: [],
		iceUseIpv6: false,
		codecs: {
			video: [
				new RTCRtpCodecParameters({
					mimeType: "video/H264",
					clockRate: 90_000,
					payloadType: 96,
					parameters: "profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1",
					rtcpFeedback: [{ type: "nack" }, { type: "nack", parameter: "pli" }],
				}),
			],
			audio: [new RTCRtpCodecParameters({ mimeType: "audio/opus", clockRate: 48_000, channels: 2, payloadType: 97 })],
		},
	});
	undo.defer(() => connection.close());
	const tracks = { video: new MediaStreamTrack({ kind: "video" }), audio: new MediaStreamTrack({ kind: "audio" }) };
	for (const track of [tracks.audio, tracks.video]) {
		connection.addTransceiver(track, { direction: "sendonly" });
	}
	const candidates: string[] = [];
	const gathered = Promise.withResolvers<void>();
	connection.onIceCandidate.subscribe((candidate) => {
		if (candidate === undefined || candidate.candidate === "") {
			gathered.resolve();
		} else {
			candidates.push(`a=${candidate.candidate}`);
		}
	});
	const offer = await connection.createOffer();
	const client = await WhipClient.post(url, offer.sdp, bearer);
	undo.defer(async () => void (await client.end()));
	await connection.setLocalDescription(offer);
	await connection.setRemoteDescription({ type: "answer", sdp: client.answer });
	await gathered.promise;
	const credentials = offer.sdp.match(/^a=ice-(ufrag|pwd):[^\r\n]*/gm)?.slice(0, 2) ?? [];
	const lines = [...credentials, "m=audio 9 UDP/TLS/RTP/SAVPF 97", "a=mid:0", ...candidates, "a=end-of-candidates"];
	await client.trickle(`${lines.join("\r\n")}\r\n`);
	undo.use(await feedRtp(picture, (kind, packet) => tracks[kind].writeRtp(packet)));
	return { client, connection, [Symbol.asyncDispose]: () => undo.disposeAsync() };
}
