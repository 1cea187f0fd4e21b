import { useEffect, useRef, useState } from "preact/hooks";
import type { DeviceChoice, DeviceInfo, MediaSource } from "../../lib/session-types.ts";
import type { DeviceKind } from "../media-fault.ts";
import { type OpenDevices, openDevices } from "./open-devices.ts";

export interface GreenRoomMedia extends OpenDevices {
	readonly opening: boolean;
	readonly devices: readonly DeviceInfo[];
	/** The same tracks, to be shown; absent until something is open. */
	readonly stream: MediaStream | undefined;
}

const NOTHING: GreenRoomMedia = { opening: true, tracks: [], faults: {}, devices: [], stream: undefined };

/**
 * Holds the chosen devices open while the component is there, and anew for every other choice. What is held is let go of before something else
 * is opened: phones have one camera at a time.
 *
 * @param round another number tries again
 */
export function useDevices(choice: DeviceChoice, wanted: readonly DeviceKind[], round: number): GreenRoomMedia {
	const [media, setMedia] = useState(NOTHING);
	const held = useRef<readonly MediaStreamTrack[]>([]);
	const wish = JSON.stringify([choice, wanted]);
	useEffect(() => {
		// Not there on an address that is not secure, whatever its type says.
		const source = navigator.mediaDevices as MediaSource | undefined;
		let over = false;
		const list = async () => {
			const devices = await listDevices(source);
			if (!over) {
				setMedia((before) => ({ ...before, devices }));
			}
		};
		const open = async () => {
			setMedia((before) => ({ ...before, opening: true }));
			const opened = await openDevices(source, choice, wanted);
			if (over) {
				stop(opened.tracks);
				return;
			}
			held.current = opened.tracks;
			const stream = opened.tracks.length === 0 ? undefined : new MediaStream([...opened.tracks]);
			setMedia((before) => ({ ...before, ...opened, opening: false, stream }));
			await list();
		};
		const onDeviceChange = () => void list();
		source?.addEventListener("devicechange", onDeviceChange);
		void open();
		return () => {
			over = true;
			source?.removeEventListener("devicechange", onDeviceChange);
			stop(held.current);
			held.current = [];
		};
	}, [wish, round]);
	return media;
}

function stop(tracks: readonly MediaStreamTrack[]): void {
	for (const track of tracks) {
		track.stop();
	}
}

const KINDS: Readonly<Record<MediaDeviceKind, DeviceInfo["kind"]>> = {
	videoinput: "camera",
	audioinput: "microphone",
	audiooutput: "speaker",
};

async function listDevices(source: MediaSource | undefined): Promise<readonly DeviceInfo[]> {
	const found = (await source?.enumerateDevices()) ?? [];
	return found.map(({ deviceId, kind, label }) => ({ id: deviceId, kind: KINDS[kind], label }));
}
