import { cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PeerProgram } from "./peer-program.ts";

const PROFILE = "Tandem";
const SCENES = "Tandem";

/** What OBS shows and sounds. The sound is a file, since a headless machine has no device. */
export interface ObsShow {
	/** 0xAABBGGRR, as OBS keeps colours. */
	readonly colour: number;
	readonly soundFile: string;
}

/**
 * Publishes with OBS Studio, without a screen and without a person. `configFolder` is an empty folder that becomes its configuration.
 */
export function publishWithObs(configFolder: string, show: ObsShow, server: string, streamKey: string): PeerProgram {
	writeConfiguration(join(configFolder, "obs-studio"), show, server, streamKey);
	const obs = [
		"obs",
		"--startstreaming",
		"--minimize-to-tray",
		"--multi",
		"--profile",
		PROFILE,
		"--collection",
		SCENES,
	];
	return new PeerProgram("xvfb-run", ["-a", ...obs], {
		env: {
			...process.env,
			LIBGL_ALWAYS_SOFTWARE: "1",
			XDG_CONFIG_HOME: configFolder,
			XDG_RUNTIME_DIR: configFolder,
			// OBS asks its user about a crash when it was killed; a fresh home has no such past.
			HOME: configFolder,
		},
	});
}

export function hasObs(): boolean {
	return existsSync("/usr/bin/obs") && existsSync("/usr/bin/xvfb-run");
}

function writeConfiguration(folder: string, show: ObsShow, server: string, streamKey: string): void {
	const profile = join(folder, "basic/profiles", PROFILE);
	const scenes = join(folder, "basic/scenes");
	mkdirSync(profile, { recursive: true });
	mkdirSync(scenes, { recursive: true });
	const soundFile = join(folder, "sound.wav");
	cpSync(show.soundFile, soundFile);
	writeFileSync(
		join(folder, "global.ini"),
		ini({
			General: { FirstRun: true, EnableAutoUpdates: false },
			Basic: { Profile: PROFILE, ProfileDir: PROFILE, SceneCollection: SCENES, SceneCollectionFile: SCENES },
		}),
	);
	writeFileSync(
		join(profile, "basic.ini"),
		ini({
			General: { Name: PROFILE },
			Video: { BaseCX: 640, BaseCY: 360, OutputCX: 640, OutputCY: 360, FPSCommon: 30 },
			Output: { Mode: "Simple" },
			SimpleOutput: { VBitrate: 800, StreamEncoder: "x264", ABitrate: 128, Preset: "ultrafast" },
			Audio: { SampleRate: 48_000 },
		}),
	);
	const service = { type: "rtmp_custom", settings: { server, key: streamKey, use_auth: false } };
	writeFileSync(join(profile, "service.json"), JSON.stringify(service));
	writeFileSync(join(scenes, `${SCENES}.json`), JSON.stringify(sceneCollection(show.colour, soundFile)));
}

function ini(sections: Readonly<Record<string, Readonly<Record<string, string | number | boolean>>>>): string {
	return Object.entries(sections)
		.map(([name, values]) => {
			const lines = Object.entries(values).map(([key, value]) => `${key}=${value}`);
			return [`[${name}]`, ...lines, ""].join("\n");
		})
		.join("\n");
}

/** One scene with one colour that fills it, and one sound that plays over and over. */
function sceneCollection(colour: number, soundFile: string) {
	const item = (name: string, id: number) => ({ name, id, visible: true });
	return {
		name: SCENES,
		current_scene: "Scene",
		current_program_scene: "Scene",
		scene_order: [{ name: "Scene" }],
		sources: [
			{ id: "color_source", name: "Colour", settings: { color: colour, width: 640, height: 360 } },
			{
				id: "ffmpeg_source",
				name: "Sound",
				mixers: 255,
				settings: { is_local_file: true, local_file: soundFile, looping: true, restart_on_activate: false },
			},
			{ id: "scene", name: "Scene", settings: { id_counter: 2, items: [item("Colour", 1), item("Sound", 2)] } },
		],
	};
}
