import { describe, expect, test } from "vitest";
import { distinctFaults, openDevices } from "../../../../web/ui/green-room/open-devices.ts";
import { meterShare } from "../../../../web/ui/level.ts";
import { mediaFault } from "../../../../web/ui/media-fault.ts";

/** A browser whose devices work or fail as named; notes what it was asked. */
function devices(faults: { video?: string; audio?: string }) {
	const asked: string[] = [];
	const getUserMedia = async ({ video, audio }: MediaStreamConstraints = {}) => {
		asked.push([video && "video", audio && "audio"].filter(Boolean).join("+"));
		const fault = (video && faults.video) || (audio && faults.audio);
		if (fault) {
			throw new DOMException("no", fault);
		}
		const kinds = [...(video ? ["video"] : []), ...(audio ? ["audio"] : [])];
		return { getTracks: () => kinds.map((kind) => ({ kind })) } as unknown as MediaStream;
	};
	return { asked, source: { getUserMedia } };
}

const BOTH = ["camera", "microphone"] as const;
const kindsOf = (tracks: readonly MediaStreamTrack[]) => tracks.map(({ kind }) => kind);

describe("openDevices", () => {
	test("asks once for both", async () => {
		const { asked, source } = devices({});
		const opened = await openDevices(source, {}, BOTH);
		expect(kindsOf(opened.tracks)).toEqual(["video", "audio"]);
		expect(asked).toEqual(["video+audio"]);
	});

	test("lets somebody without a camera talk", async () => {
		const { source } = devices({ video: "NotFoundError" });
		const opened = await openDevices(source, {}, BOTH);
		expect(kindsOf(opened.tracks)).toEqual(["audio"]);
		expect(opened.faults).toMatchObject({ camera: { kind: "missing", title: "No camera found" } });
		expect(opened.faults.microphone).toBeUndefined();
	});

	test("tells two troubles apart", async () => {
		const { source } = devices({ video: "NotReadableError", audio: "NotFoundError" });
		const opened = await openDevices(source, {}, BOTH);
		expect(opened.tracks).toEqual([]);
		expect(distinctFaults(opened).map(({ kind }) => kind)).toEqual(["busy", "missing"]);
	});

	test("does not ask again whoever said no", async () => {
		const { asked, source } = devices({ video: "NotAllowedError", audio: "NotAllowedError" });
		const opened = await openDevices(source, {}, BOTH);
		expect(asked).toHaveLength(1);
		expect(distinctFaults(opened)).toHaveLength(1);
	});

	test("asks for the devices that were chosen, and for nothing when nothing is wanted", async () => {
		const seen: MediaStreamConstraints[] = [];
		const source = {
			getUserMedia: async (constraints: MediaStreamConstraints = {}) => {
				seen.push(constraints);
				return { getTracks: () => [] } as unknown as MediaStream;
			},
		};
		await openDevices(source, { cameraId: "c1", microphoneId: "m1" }, BOTH);
		expect(seen[0]).toMatchObject({
			video: { deviceId: { exact: "c1" } },
			audio: { deviceId: { exact: "m1" }, echoCancellation: true },
		});
		await openDevices(source, {}, ["microphone"]);
		expect(seen[1]).toMatchObject({ video: false });
		await openDevices(source, {}, []);
		expect(seen).toHaveLength(2);
	});

	test("says so where the browser has none to give", async () => {
		const opened = await openDevices(undefined, {}, BOTH);
		expect(distinctFaults(opened)).toMatchObject([{ kind: "insecure" }, { kind: "insecure" }]);
	});
});

test.each([
	["NotAllowedError", "denied"],
	["SecurityError", "denied"],
	["NotFoundError", "missing"],
	["NotReadableError", "busy"],
	["AbortError", "busy"],
	["OverconstrainedError", "gone"],
	["InvalidStateError", "unknown"],
])("says what to do about a %s", (name, kind) => {
	const fault = mediaFault(new DOMException("words of the browser", name), BOTH);
	expect(fault.kind).toBe(kind);
	expect(fault.title).toMatch(/camera (and|or) microphone/);
	expect(fault.advice).not.toBe("");
});

describe("meterShare", () => {
	const sine = (amplitude: number) => Float32Array.from({ length: 2_048 }, (_, n) => amplitude * Math.sin(n / 5));

	test("shows nothing of silence and all of the loudest", () => {
		expect(meterShare(new Float32Array(2_048))).toBe(0);
		expect(meterShare(sine(0.0001))).toBe(0);
		expect(meterShare(new Float32Array(2_048).fill(1))).toBe(1);
	});

	test("rises with loudness in equal steps for equal factors", () => {
		const [quiet, middle, loud] = [meterShare(sine(0.01)), meterShare(sine(0.1)), meterShare(sine(1))];
		expect(middle - quiet).toBeCloseTo(1 / 3, 2);
		expect(loud - middle).toBeCloseTo(1 / 3, 2);
	});
});
