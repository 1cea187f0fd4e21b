import { describe, expect, test } from "vitest";
import { LocalMedia } from "../../../../web/lib/devices/local-media.ts";
import type { DeviceChoice, MediaSource } from "../../../../web/lib/session-types.ts";
import { settle } from "../../../support/manual-clock.ts";
import { FakeDevices, FakeTrack, newStream } from "./fakes/fake-media.ts";

const BOTH = ["camera", "microphone"] as const;

function media(choice: DeviceChoice = {}, source?: MediaSource | null) {
	const devices = new FakeDevices();
	const notices = new Map<string, string>();
	const previews: MediaStream[] = [];
	const black: FakeTrack[] = [];
	const seen = { changes: 0 };
	const local = new LocalMedia({
		source: source === null ? undefined : (source ?? devices.source),
		choice,
		newStream,
		blackPicture: () => {
			const track = new FakeTrack("video", "black");
			black.push(track);
			return { track: track as unknown as MediaStreamTrack, close: () => track.stop() };
		},
		onChange: () => {
			seen.changes += 1;
		},
		onPreview: (preview) => previews.push(preview),
		onNotice: ({ code, text }) => notices.set(code, text),
		onResolved: (code) => notices.delete(code),
	});
	/** Names of what is sent; `-` before a silent one. */
	const sent = () => {
		const { video, audio } = local.outgoing;
		return [video.label, audio === undefined ? "none" : `${audio.enabled ? "" : "-"}${audio.label}`].join(" ");
	};
	return { local, devices, notices, previews, black, sent, seen };
}

const words = (promise: Promise<unknown>) =>
	promise.then(
		() => "done",
		(error: Error) => error.message,
	);

describe("opening devices", () => {
	test("asks once for both, with the echo taken out", async () => {
		const { local, devices, sent, previews } = media({ cameraId: "c2" });
		let constraints: MediaStreamConstraints | undefined;
		const native = devices.getUserMedia.bind(devices);
		devices.getUserMedia = (given) => {
			constraints = given;
			return native(given);
		};
		await local.open(BOTH);
		expect(devices.asked).toEqual(["video:c2 audio"]);
		expect(constraints).toMatchObject({
			audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
			video: { width: { ideal: 1_280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } },
		});
		expect(sent()).toBe("c2 m1");
		expect(local.state).toEqual({ camera: true, microphone: true, screen: false });
		expect(previews.at(-1)).toBe(local.preview);
	});

	test("goes on with what there is, and says what there is not", async () => {
		const { local, devices, sent, notices } = media();
		devices.there.delete("c1");
		devices.there.delete("c2");
		await local.open(BOTH);
		expect(sent()).toBe("black m1");
		expect(notices.get("devices")).toMatch(/No camera was found/);
		devices.plug("c1");
		await settle();
		expect(sent()).toBe("c1 m1");
		expect([...notices]).toEqual([]);
	});

	test("takes another one where the chosen one is gone", async () => {
		const { local, sent } = media({ cameraId: "c9", microphoneId: "m2" });
		await local.open(BOTH);
		expect(sent()).toBe("c1 m2");
	});

	test.each([
		["NotAllowedError", /does not let this page use your camera and microphone/],
		["NotReadableError", /in use by another program/],
		["NotFoundError", /No camera was found.*No microphone was found/],
		["TypeError", /did not start/],
	])("says in words why nothing opens: %s", async (name, text) => {
		const { local, devices } = media();
		devices.failures.push(name, name, name);
		expect(await words(local.open(BOTH))).toMatch(text);
		// Whoever said no is not asked twice.
		expect(devices.asked).toHaveLength(name === "NotAllowedError" ? 1 : 3);
	});

	test("says that the address is not secure where the browser has no devices at all", async () => {
		const { local } = media({}, null);
		expect(await words(local.open(BOTH))).toMatch(/https addresses only/);
		expect(await words(local.setCamera(true))).toMatch(/https addresses only/);
		expect(await words(local.open([]))).toBe("done");
	});
});

describe("local media", () => {
	test("lets go of the camera and sends black while it is off", async () => {
		const { local, devices, sent, black } = media();
		await local.open(BOTH);
		await local.setCamera(false);
		expect(sent()).toBe("black m1");
		expect(local.outgoing.picture).toBeUndefined();
		expect(devices.live).toEqual(["m1"]);
		expect(local.state.camera).toBe(false);
		await local.setCamera(true);
		await settle();
		expect(sent()).toBe("c1 m1");
		expect(black.map(({ readyState }) => readyState)).toEqual(["ended"]);
	});

	test("keeps the microphone, and is silent, while it is off", async () => {
		const { local, devices, sent } = media();
		await local.open(BOTH);
		await local.setMicrophone(false);
		expect(sent()).toBe("c1 -m1");
		await local.setMicrophone(true);
		expect(sent()).toBe("c1 m1");
		expect(devices.asked).toHaveLength(1);
	});

	test("begins without what is off, and opens it when it is wanted", async () => {
		const { local, devices, sent } = media({ microphoneId: "m2" });
		await local.open([]);
		expect([sent(), devices.asked]).toEqual(["black none", []]);
		await local.setMicrophone(true);
		expect(sent()).toBe("black m2");
	});

	test("changes devices, and off ones begin with the chosen", async () => {
		const { local, devices, sent } = media();
		await local.open(["camera"]);
		await local.useDevices({ cameraId: "c2", microphoneId: "m2" });
		expect([sent(), devices.live]).toEqual(["c2 none", ["c2"]]);
		await local.setMicrophone(true);
		expect(sent()).toBe("c2 m2");
	});

	test("goes on with the one before where the other does not open", async () => {
		const { local, devices, sent } = media();
		await local.open(BOTH);
		expect(await words(local.useDevices({ cameraId: "c9" }))).toMatch(/not there any more/);
		expect([sent(), devices.live]).toEqual(["c1 m1", ["c1", "m1"]]);
	});

	test("lets go of one camera for another where only one can be had", async () => {
		const { local, devices, sent } = media();
		await local.open(BOTH);
		devices.failures.push("NotReadableError");
		await local.useDevices({ cameraId: "c2" });
		expect([sent(), devices.live]).toEqual(["c2 m1", ["m1", "c2"]]);
		devices.failures.push("NotReadableError", "NotReadableError");
		expect(await words(local.useDevices({ cameraId: "c1" }))).toMatch(/in use/);
		expect(sent()).toBe("c2 m1");
	});

	test("takes another camera when its own is unplugged, says so, and goes back when that one returns", async () => {
		const { local, devices, sent, notices } = media({ cameraId: "c1" });
		await local.open(BOTH);
		devices.unplug("c1");
		await settle();
		expect(sent()).toBe("c2 m1");
		expect(notices.get("device-lost")).toMatch(/camera was disconnected; “c2” is used/);
		devices.plug("c1");
		await settle();
		expect([sent(), devices.live]).toEqual(["c1 m1", ["m1", "c1"]]);
		expect([...notices]).toEqual([]);
	});

	test("is black, or not heard, without any, and comes back with the next one", async () => {
		const { local, devices, sent, notices } = media();
		devices.there.delete("m2");
		await local.open(BOTH);
		devices.unplug("m1");
		await settle();
		expect([sent(), local.state.microphone]).toEqual(["c1 none", false]);
		expect(notices.get("device-lost")).toMatch(/nobody hears you/);
		devices.plug("m2");
		await settle();
		expect([sent(), local.state.microphone]).toEqual(["c1 m2", true]);
		expect([...notices]).toEqual([]);
	});

	test("shows a screen in place of the camera until it is stopped, by the page or by the browser", async () => {
		const { local, devices, sent } = media();
		await local.open(BOTH);
		await local.shareScreen();
		expect(sent()).toBe("screen m1");
		expect([local.outgoing.screen, local.outgoing.video.contentHint, local.state.screen]).toEqual([
			true,
			"detail",
			true,
		]);
		await local.stopSharing();
		expect(sent()).toBe("c1 m1");
		await local.shareScreen();
		devices.given.at(-1)?.end();
		await settle();
		expect([sent(), local.state.screen, devices.live]).toEqual(["c1 m1", false, ["c1", "m1"]]);
		devices.failures.push("NotAllowedError");
		expect(await words(local.shareScreen())).toMatch(/Nothing is shared/);
	});

	test("does one thing after the other", async () => {
		const { local, devices } = media();
		await local.open(BOTH);
		await Promise.all([local.setCamera(false), local.setCamera(true), local.setCamera(false), local.setCamera(true)]);
		expect([local.state.camera, devices.live]).toEqual([true, ["m1", "c1"]]);
	});

	test("closed, has let go of everything, and of what was being opened", async () => {
		const { local, devices, black } = media();
		await local.open(BOTH);
		await local.setCamera(false);
		expect(local.outgoing.video.label).toBe("black");
		await local.shareScreen();
		const opening = local.setCamera(true);
		local.close();
		local.close();
		await opening;
		await settle();
		devices.plug("c3");
		await settle();
		expect(devices.live).toEqual([]);
		expect(black.every(({ readyState }) => readyState === "ended")).toBe(true);
	});
});
