import type { DeviceChoice, MediaSource } from "../../lib/session-types.ts";
import { type DeviceKind, type MediaFault, mediaFault } from "../media-fault.ts";

export interface OpenDevices {
	/** What could be opened; without tracks where nothing could. */
	readonly tracks: readonly MediaStreamTrack[];
	readonly faults: Readonly<Partial<Record<DeviceKind, MediaFault>>>;
}

const PICTURE = { width: { ideal: 1_280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
const SOUND = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/**
 * Camera and microphone, as far as they can be had: both at once, so that the person is asked once, and each by itself where that fails, since
 * whoever has no camera may still talk. The caller stops the tracks.
 */
export async function openDevices(
	source: Pick<MediaSource, "getUserMedia"> | undefined,
	choice: DeviceChoice,
	wanted: readonly DeviceKind[],
): Promise<OpenDevices> {
	if (source === undefined) {
		return { tracks: [], faults: Object.fromEntries(wanted.map((kind) => [kind, mediaFault(undefined, wanted)])) };
	}
	if (wanted.length === 0) {
		return { tracks: [], faults: {} };
	}
	try {
		const stream = await source.getUserMedia(constraintsOf(choice, wanted));
		return { tracks: stream.getTracks(), faults: {} };
	} catch (error) {
		const fault = mediaFault(error, wanted);
		// Asked again at once, a person who said no would say it twice.
		if (wanted.length === 1 || fault.kind === "denied") {
			return { tracks: [], faults: Object.fromEntries(wanted.map((kind) => [kind, fault])) };
		}
	}
	const tracks: MediaStreamTrack[] = [];
	const faults: Partial<Record<DeviceKind, MediaFault>> = {};
	for (const kind of wanted) {
		const alone = await openDevices(source, choice, [kind]);
		tracks.push(...alone.tracks);
		Object.assign(faults, alone.faults);
	}
	return { tracks, faults };
}

function constraintsOf(choice: DeviceChoice, wanted: readonly DeviceKind[]): MediaStreamConstraints {
	const { cameraId, microphoneId } = choice;
	return {
		video: wanted.includes("camera") && { ...PICTURE, ...(cameraId && { deviceId: { exact: cameraId } }) },
		audio: wanted.includes("microphone") && { ...SOUND, ...(microphoneId && { deviceId: { exact: microphoneId } }) },
	};
}

/** The faults to show: one that both share is one. */
export function distinctFaults({ faults }: Pick<OpenDevices, "faults">): readonly MediaFault[] {
	return [...new Set([faults.camera, faults.microphone])].filter((fault) => fault !== undefined);
}
