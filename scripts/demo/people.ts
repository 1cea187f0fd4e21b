import { execFile, execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

/** The two people of the demo: moving pictures with burnt-in names and clocks, and voices that take turns. */

const FONT_FILES = [
	"/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf",
	"/usr/share/fonts/dejavu/DejaVuSans-Bold.ttf",
	"/Library/Fonts/Arial Bold.ttf",
	"/System/Library/Fonts/Supplemental/Arial Bold.ttf",
];

/** WAV: bytes a second stand at offset 28, samples begin at 44 (RIFF WAVE, canonical form as espeak-ng writes it). */
const WAV_BYTE_RATE_OFFSET = 28;
const WAV_HEADER_BYTES = 44;
const TONE_SECONDS = 4;
/** A clip is as long as both have spoken this often: about a minute. */
const ROUNDS = 4;

interface Look {
	readonly title: string;
	readonly gradient: string;
	/** Pixels the name and the wave sway to either side. */
	readonly swayPx: number;
	readonly voice: string;
	readonly toneHz: number;
	readonly words: string;
}

const LOOKS = {
	host: {
		title: "HOST",
		gradient: "c0=0x12324f:c1=0x2f7fb8:c2=0x0d1b2a:c3=0x57b8d9:n=4:speed=0.015:seed=7",
		swayPx: 60,
		voice: "en-us+m3",
		toneHz: 330,
		words: "Hello, and welcome to the show. Tonight I am joined by a guest, live, from the other side of the world.",
	},
	guest: {
		title: "GUEST",
		gradient: "c0=0x4a1f3d:c1=0xc2557a:c2=0x2a0d1e:c3=0xf2a65a:n=4:speed=0.015:seed=3",
		swayPx: -60,
		voice: "en-us+f3",
		toneHz: 440,
		words: "Thank you for having me. It feels as if we were sitting in one room, and I can hear you very well.",
	},
} as const satisfies Record<string, Look>;

export type DemoPerson = keyof typeof LOOKS;

export interface Voices {
	readonly files: Record<DemoPerson, string>;
	readonly seconds: Record<DemoPerson, number>;
}

/** Speaks each person's words to a file with espeak-ng, or makes a tone where there is none. */
export function makeVoices(folder: string): Voices {
	const files = { host: join(folder, "host.wav"), guest: join(folder, "guest.wav") };
	for (const person of ["host", "guest"] as const) {
		const { voice, words, toneHz } = LOOKS[person];
		try {
			execFileSync("espeak-ng", ["-v", voice, "-s", "150", "-w", files[person], words], { stdio: "ignore" });
		} catch {
			// Without espeak-ng a tone does: the demo shows that sound goes through, not what is said.
			const tone = `sine=frequency=${toneHz}:duration=${TONE_SECONDS}:sample_rate=22050`;
			execFileSync("ffmpeg", ["-y", "-loglevel", "error", "-f", "lavfi", "-i", tone, "-bitexact", files[person]]);
		}
	}
	return { files, seconds: { host: wavSeconds(files.host), guest: wavSeconds(files.guest) } };
}

/** ffmpeg's arguments for one person's clip at 720p30. */
function clipArguments(person: DemoPerson, voices: Voices, file: string): string[] {
	const look = LOOKS[person];
	const round = voices.seconds.host + voices.seconds.guest;
	const delayMs = person === "host" ? 0 : Math.round(voices.seconds.host * 1_000);
	const font = FONT_FILES.find((file) => existsSync(file));
	const text = `${font === undefined ? "" : `fontfile='${font}':`}fontcolor=white:x=(w-tw)/2+${look.swayPx}*sin(t*0.9)`;
	const turn = `[1:a]aresample=48000,aformat=channel_layouts=mono,adelay=${delayMs},apad=whole_dur=${round}`;
	const filters = [
		`${turn},aloop=loop=-1:size=${Math.round(round * 48_000)},asetpts=N/SR/TB,volume=1.5,asplit[voice][shown]`,
		"[shown]showwaves=s=320x120:mode=cline:rate=30:colors=white:scale=sqrt[wave]",
		// Colour flows slowly: a small picture scaled up costs a tenth of drawing it large. All that moves stays in the middle, which
		// every layout's crop leaves in sight.
		"[0:v]scale=1280:720:flags=bilinear,format=yuv420p[ground]",
		`[ground][wave]overlay=x='(W-w)/2+${look.swayPx}*sin(t*0.9)':y=410:format=yuv420[picture]`,
		`[picture]drawtext=${text}:text=${look.title}:fontsize=100:y=225,drawtext=${text}:text='%{pts\\:hms}':fontsize=44:y=345[out]`,
	];
	return [
		...["-hide_banner", "-loglevel", "error", "-nostdin", "-y"],
		...["-f", "lavfi", "-i", `gradients=s=320x180:r=30:${look.gradient}`, "-i", voices.files[person]],
		...["-filter_complex", filters.join(";"), "-map", "[out]", "-map", "[voice]"],
		...["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "60", "-b:v", "2500k"],
		...["-pix_fmt", "yuv420p", "-c:a", "aac", "-ar", "48000", "-ac", "2", "-b:a", "128k"],
		...["-t", (round * ROUNDS).toFixed(3), file],
	];
}

/**
 * Films both people, for publishing at their own pace again and again. Made live they would take as much of the machine as the compositor, and
 * stumble with it: real publishers have machines of their own.
 */
export async function makeClips(folder: string, voices: Voices): Promise<Record<DemoPerson, string>> {
	const clips = { host: join(folder, "host.mp4"), guest: join(folder, "guest.mp4") };
	const film = promisify(execFile);
	await Promise.all(
		(["host", "guest"] as const).map((person) => film("ffmpeg", clipArguments(person, voices, clips[person]))),
	);
	return clips;
}

export interface Publisher {
	/** Resolves when it has ended, with what it said last. */
	readonly ended: Promise<string>;
	stop(): Promise<void>;
}

/** Publishes a clip over RTMP with ffmpeg, at its own pace, from the beginning again at its end. */
export function publish(clip: string, url: string): Publisher {
	const endless = ["-loglevel", "warning", "-nostdin", "-re", "-stream_loop", "-1", "-i", clip];
	const child = spawn("ffmpeg", [...endless, "-c", "copy", "-f", "flv", url], { stdio: ["ignore", "ignore", "pipe"] });
	let said = "";
	child.stderr.on("data", (data: Buffer) => {
		said = (said + data.toString()).slice(-500);
	});
	const ended = new Promise<string>((resolve) => {
		child.once("error", (error) => resolve(error.message));
		child.once("exit", (code, signal) =>
			resolve(`ffmpeg ended (${signal ?? code}) ${said.replaceAll(url, "…")}`.trim()),
		);
	});
	return {
		ended,
		stop: async () => {
			child.kill("SIGKILL");
			await ended;
		},
	};
}

function wavSeconds(file: string): number {
	const bytes = readFileSync(file);
	return (bytes.byteLength - WAV_HEADER_BYTES) / bytes.readUInt32LE(WAV_BYTE_RATE_OFFSET);
}
