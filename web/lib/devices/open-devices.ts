import type { DeviceChoice, MediaSource } from "../session-types.ts";
import { type DeviceKind, deviceWords, insecureWords, isDenied, isGone } from "./device-words.ts";

/** 720p30: what the program is made of. Ideals only: what there is, is better than nothing. */
const PICTURE: MediaTrackConstraints = {
	width: { ideal: 1_280 },
	height: { ideal: 720 },
	frameRate: { ideal: 30 },
};
/** Two people in loudspeakers and microphones hear themselves without. */
const SOUND: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

export interface OpenDevices {
	/** The caller stops them. */
	readonly camera?: MediaStreamTrack;
	readonly microphone?: MediaStreamTrack;
	/** Of what was wanted and is not there, in words for people. */
	readonly faults: Readonly<Partial<Record<DeviceKind, string>>>;
}

type Opener = Pick<MediaSource, "getUserMedia">;

/**
 * Camera and microphone, as far as they can be had: both at once, so that the person is asked once, and each by itself where that fails, since
 * whoever has no camera may still talk. In place of a chosen device that is gone there is another one.
 */
export async function openDevices(
	source: Opener | undefined,
	choice: DeviceChoice,
	wanted: readonly DeviceKind[],
): Promise<OpenDevices> {
	if (source === undefined) {
		return { faults: faultsOf(wanted, insecureWords(wanted)) };
	}
	if (wanted.length < 2) {
		return openEach(source, choice, wanted);
	}
	try {
		const stream = await source.getUserMedia(constraintsOf(choice, wanted));
		return tracksOf(stream, wanted);
	} catch (error) {
		// Asked again at once, a person who said no would have to say it twice.
		return isDenied(error)
			? { faults: faultsOf(wanted, deviceWords(error, wanted)) }
			: openEach(source, choice, wanted);
	}
}

/** One device, and no other in its place. @throws what the platform throws */
export async function openDevice(
	source: Opener,
	kind: DeviceKind,
	deviceId: string | undefined,
): Promise<MediaStreamTrack> {
	const choice = deviceId === undefined ? {} : { cameraId: deviceId, microphoneId: deviceId };
	const track = tracksOf(await source.getUserMedia(constraintsOf(choice, [kind])), [kind])[kind];
	if (track === undefined) {
		throw new DOMException(`devices: expected a ${kind}, got a stream without`, "NotFoundError");
	}
	return track;
}

async function openEach(source: Opener, choice: DeviceChoice, wanted: readonly DeviceKind[]): Promise<OpenDevices> {
	const opened: Partial<Record<DeviceKind, MediaStreamTrack>> = {};
	const faults: Partial<Record<DeviceKind, string>> = {};
	for (const kind of wanted) {
		try {
			opened[kind] = await openChosen(source, kind, kind === "camera" ? choice.cameraId : choice.microphoneId);
		} catch (error) {
			faults[kind] = deviceWords(error, [kind]);
		}
	}
	return { ...opened, faults };
}

async function openChosen(source: Opener, kind: DeviceKind, deviceId: string | undefined): Promise<MediaStreamTrack> {
	try {
		return await openDevice(source, kind, deviceId);
	} catch (error) {
		if (deviceId === undefined || !isGone(error)) {
			throw error;
		}
		return openDevice(source, kind, undefined);
	}
}

function constraintsOf(
	{ cameraId, microphoneId }: DeviceChoice,
	wanted: readonly DeviceKind[],
): MediaStreamConstraints {
	return {
		video: wanted.includes("camera") && { ...PICTURE, ...(cameraId ? { deviceId: { exact: cameraId } } : {}) },
		audio: wanted.includes("microphone") && {
			...SOUND,
			...(microphoneId ? { deviceId: { exact: microphoneId } } : {}),
		},
	};
}

function tracksOf(stream: MediaStream, wanted: readonly DeviceKind[]): OpenDevices {
	const camera = wanted.includes("camera") ? stream.getVideoTracks()[0] : undefined;
	const microphone = wanted.includes("microphone") ? stream.getAudioTracks()[0] : undefined;
	return { ...(camera && { camera }), ...(microphone && { microphone }), faults: {} };
}

function faultsOf(wanted: readonly DeviceKind[], words: string): OpenDevices["faults"] {
	return Object.fromEntries(wanted.map((kind) => [kind, words]));
}
