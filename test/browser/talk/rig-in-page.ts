import { installFakeDevices, installReader, type PersonReadings, takeReadings } from "../../../scripts/talk/in-page.ts";

/** Runs in a page: what the talk's camera and microphone give, seen and heard by its reader. */

const MARK = { id: 5, toneHz: 1_000 };
const PICTURE = { width: 640, height: 360, frameRate: 30 };
const WITHIN_MS = 60_000;

export interface LoopedBack extends PersonReadings {
	/** Rows of red, which in black and white is as bright as all, of the last picture at half its size. */
	readonly picture: { readonly width: number; readonly height: number; readonly samples: Uint8Array };
}

/** @param bitrateBps by way of WebRTC at this rate; straight where there is none */
export async function loopBack(pictures: number, beeps: number, bitrateBps?: number): Promise<LoopedBack> {
	document.body.innerHTML = `<div class="tile"><video muted playsinline></video></div>`;
	const video = document.querySelector("video");
	if (video === null) {
		throw new Error("rig: expected a video, got none");
	}
	installFakeDevices({ ...MARK, ...PICTURE });
	installReader({ selector: ".tile video", ...MARK });
	const stream = await navigator.mediaDevices.getUserMedia({ video: true, audio: true });
	video.srcObject = bitrateBps === undefined ? stream : await overWebRtc(stream, bitrateBps);
	await video.play();
	const seen: PersonReadings["seen"][number][] = [];
	const heardAtMs: number[] = [];
	const giveUpMs = performance.now() + WITHIN_MS;
	while ((seen.length < pictures || heardAtMs.length < beeps) && performance.now() < giveUpMs) {
		await new Promise((resolve) => setTimeout(resolve, 100));
		const readings = takeReadings();
		seen.push(...readings.seen);
		heardAtMs.push(...readings.heardAtMs);
	}
	const picture = grab(video);
	stream.getTracks().forEach((track) => {
		track.stop();
	});
	return { seen, heardAtMs, picture };
}

function grab(video: HTMLVideoElement): LoopedBack["picture"] {
	const [width, height] = [PICTURE.width / 2, PICTURE.height / 2];
	const context = new OffscreenCanvas(width, height).getContext("2d");
	if (context === null) {
		throw new Error("rig: expected a canvas, got none");
	}
	context.drawImage(video, 0, 0, width, height);
	const { data } = context.getImageData(0, 0, width, height);
	return { width, height, samples: Uint8Array.from({ length: width * height }, (_, at) => data[at * 4] ?? 0) };
}

async function overWebRtc(stream: MediaStream, bitrateBps: number): Promise<MediaStream> {
	const near = new RTCPeerConnection();
	const far = new RTCPeerConnection();
	near.onicecandidate = ({ candidate }) => void far.addIceCandidate(candidate ?? undefined);
	far.onicecandidate = ({ candidate }) => void near.addIceCandidate(candidate ?? undefined);
	const received = new MediaStream();
	far.ontrack = ({ track }) => received.addTrack(track);
	for (const track of stream.getTracks()) {
		near.addTrack(track, stream);
	}
	await near.setLocalDescription();
	await far.setRemoteDescription({ type: "offer", sdp: near.localDescription?.sdp ?? "" });
	await far.setLocalDescription();
	await near.setRemoteDescription({ type: "answer", sdp: far.localDescription?.sdp ?? "" });
	for (const sender of near.getSenders()) {
		const parameters = sender.getParameters();
		for (const encoding of parameters.encodings) {
			encoding.maxBitrate = bitrateBps;
		}
		await sender.setParameters(parameters);
	}
	return received;
}
