import type {
	BroadcastSession,
	JoinOptions,
	SessionEvents,
	SessionPerson,
	SessionState,
} from "../../../web/lib/session-types.ts";
import type { PersonId } from "../../../worker/protocol/roles.ts";

/**
 * Stands in for the client library while the pages are tested: a session that does as the test says, with real devices for one's own picture and
 * painted ones for the others. Runs in the page.
 */

export interface FakeControl {
	/** What the page asked for, in order: `[method, ...arguments]`. */
	readonly calls: unknown[][];
	/** Changes the state as the server would. */
	set(change: Partial<SessionState>): void;
	setPerson(id: PersonId, change: Partial<SessionPerson>): void;
	remote(person: PersonId, hue: number | undefined): void;
	end(reason: string): void;
	/** The next call of that method fails with these words. */
	failNext(method: string, text: string): void;
}

declare global {
	interface Window {
		tandemFake?: FakeControl;
		/** Set by the test before the page runs. */
		tandemFakeState?: Partial<SessionState>;
	}
}

const PERSON: SessionPerson = { id: "host", name: "Ada Lovelace", live: true, admitted: true, muted: false };
const STATE: SessionState = {
	person: "host",
	connection: "open",
	status: "lobby",
	program: "none",
	layout: "landscape",
	labels: true,
	people: [PERSON],
	media: { camera: true, microphone: true, screen: false },
	legs: { stream: "sending", realTime: "off" },
	notices: [],
};

type Listeners = { [K in keyof SessionEvents]: Set<(value: SessionEvents[K]) => void> };

const failures = new Map<string, string>();
const calls: unknown[][] = [];

/** Notes the call, and fails where the test wants that. */
function note(method: string, ...args: unknown[]): void {
	calls.push([method, ...args]);
	const failure = failures.get(method);
	if (failure !== undefined) {
		failures.delete(method);
		throw new Error(failure);
	}
}

export async function joinBroadcast(options: JoinOptions): Promise<BroadcastSession> {
	const { token, ...shown } = options;
	note("join", { ...shown, token });
	const { camera = true, microphone = true } = options;
	const preview =
		camera || microphone
			? await navigator.mediaDevices.getUserMedia({ video: camera, audio: microphone })
			: new MediaStream();
	let state: SessionState = { ...STATE, ...window.tandemFakeState };
	state = { ...state, media: { camera, microphone, screen: false } };
	const listeners: Listeners = { state: new Set(), remote: new Set(), preview: new Set(), ended: new Set() };
	const tell = <K extends keyof SessionEvents>(event: K, value: SessionEvents[K]) => {
		for (const listener of listeners[event]) {
			listener(value);
		}
	};
	const set = (change: Partial<SessionState>) => {
		state = { ...state, ...change };
		tell("state", state);
	};
	const setPerson = (id: PersonId, change: Partial<SessionPerson>) =>
		set({ people: state.people.map((person) => (person.id === id ? { ...person, ...change } : person)) });
	window.tandemFake = {
		calls,
		set,
		setPerson,
		remote: (person, hue) => tell("remote", { person, stream: hue === undefined ? undefined : paintedStream(hue) }),
		end: (reason) => {
			set({ connection: "closed", endReason: reason });
			tell("ended", { reason });
		},
		failNext: (method, text) => void failures.set(method, text),
	};
	return {
		get state() {
			return state;
		},
		preview,
		on: (event, listener) => {
			listeners[event].add(listener);
			return () => listeners[event].delete(listener);
		},
		setCamera: async (on) => {
			note("setCamera", on);
			set({ media: { ...state.media, camera: on } });
		},
		setMicrophone: async (on) => {
			note("setMicrophone", on);
			set({ media: { ...state.media, microphone: on } });
		},
		useDevices: async (choice) => note("useDevices", choice),
		listDevices: async () =>
			(await navigator.mediaDevices.enumerateDevices()).map(({ deviceId, kind, label }) => ({
				id: deviceId,
				kind: kind === "videoinput" ? "camera" : kind === "audioinput" ? "microphone" : "speaker",
				label,
			})),
		shareScreen: async () => {
			note("shareScreen");
			set({ media: { ...state.media, screen: true } });
		},
		stopSharing: async () => {
			note("stopSharing");
			set({ media: { ...state.media, screen: false } });
		},
		command: async (command) => {
			note("command", command);
			switch (command.type) {
				case "admit-person":
					setPerson(command.personId, { admitted: true, talk: "connected" });
					break;
				case "remove-person":
					setPerson(command.personId, { live: false, admitted: false });
					break;
				case "set-person": {
					const { personId, muted, name } = command;
					setPerson(personId, { ...(muted === undefined ? {} : { muted }), ...(name === undefined ? {} : { name }) });
					break;
				}
				case "set-scene": {
					const { layout, labels } = command;
					set({ ...(layout === undefined ? {} : { layout }), ...(labels === undefined ? {} : { labels }) });
					break;
				}
				default:
			}
		},
		leave: async () => {
			note("leave");
			for (const track of preview.getTracks()) {
				track.stop();
			}
			tell("ended", { reason: "left" });
		},
	};
}

/** Somebody who nods, and says nothing. */
function paintedStream(hue: number): MediaStream {
	const canvas = document.createElement("canvas");
	[canvas.width, canvas.height] = [640, 360];
	const context = canvas.getContext("2d");
	if (context === null) {
		throw new Error("fake join: expected a canvas to paint on, got none");
	}
	let frame = 0;
	const paint = () => {
		const nod = Math.sin(frame / 8) * 6;
		frame += 1;
		context.fillStyle = `hsl(${hue} 30% 30%)`;
		context.fillRect(0, 0, 640, 360);
		context.fillStyle = `hsl(${hue} 35% 55%)`;
		context.beginPath();
		context.ellipse(320, 380, 150, 130, 0, 0, Math.PI * 2);
		context.fill();
		context.fillStyle = "hsl(28 45% 72%)";
		context.beginPath();
		context.ellipse(320, 170 + nod, 70, 88, 0, 0, Math.PI * 2);
		context.fill();
	};
	paint();
	setInterval(paint, 50);
	const stream = canvas.captureStream(20);
	const sound = new AudioContext();
	const silence = new MediaStreamAudioDestinationNode(sound);
	for (const track of silence.stream.getAudioTracks()) {
		stream.addTrack(track);
	}
	return stream;
}
