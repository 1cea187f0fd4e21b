import type { Page } from "puppeteer-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { SessionPerson, SessionState } from "../../../web/lib/session-types.ts";
import { DESTINATION, GUEST_TOKEN, HOST_TOKEN, INVITE_CODE, SHOW_ID } from "./fake-show.ts";
import { Pages } from "./open-pages.ts";

let pages: Pages;
beforeAll(async () => {
	pages = await Pages.open();
});
afterEach(async () => {
	// What the headers forbid is told on the console, and is otherwise not noticed.
	const faults = pages.complaints.filter((line) => !line.startsWith("Failed to load resource"));
	await pages.reset();
	expect(faults).toEqual([]);
});
afterAll(() => pages?.close());

const HOST: SessionPerson = { id: "host", name: "Ada Lovelace", live: true, admitted: true, muted: false };
const GUEST: SessionPerson = {
	id: "guest",
	name: "Grace Hopper",
	live: true,
	admitted: true,
	muted: false,
	talk: "connected",
	media: { camera: true, microphone: true, screen: false },
};
/** As long as a loaded machine may take; only bounds a hang. */
const PATIENCE = { timeout: 30_000 };

async function open(page: Page, path: string): Promise<void> {
	await page.goto(pages.origin + path);
}

/** Through the green room, into a session in that state. */
async function enter(role: "host" | "guest", state: Partial<SessionState> = {}): Promise<Page> {
	const page = await pages.tab();
	await page.evaluateOnNewDocument(
		(start) => {
			window.tandemFakeState = start;
		},
		{ person: role, ...state } satisfies Partial<SessionState>,
	);
	await open(
		page,
		role === "host" ? `/studio/${SHOW_ID}#token=${HOST_TOKEN}` : `/join/${SHOW_ID}#token=${GUEST_TOKEN}`,
	);
	await click(page, role === "host" ? "Enter the studio" : "Enter");
	await page.waitForSelector(".room", PATIENCE);
	return page;
}

/** By its accessible name, as somebody who cannot see it would. */
async function click(page: Page, name: string): Promise<void> {
	await page.locator(`::-p-aria([name="${name}"])`).setTimeout(PATIENCE.timeout).click();
}

async function fill(page: Page, name: string, text: string): Promise<void> {
	await page.locator(`::-p-aria([name="${name}"])`).setTimeout(PATIENCE.timeout).fill(text);
}

async function see(page: Page, text: string): Promise<void> {
	await page.waitForFunction((words) => document.body.textContent.includes(words), PATIENCE, text);
}

const calls = (page: Page) => page.evaluate(() => window.tandemFake?.calls ?? []);
const commands = async (page: Page) =>
	(await calls(page)).filter(([method]) => method === "command").map(([, command]) => command);
const asked = (method: string, path: string) =>
	pages.show.requests.filter((request) => request.method === method && request.path.endsWith(path));

describe("the green room", () => {
	test("shows oneself as in a mirror, muted, with a level, and goes in with what was chosen", async () => {
		const page = await pages.tab();
		await open(page, `/studio/${SHOW_ID}#token=${HOST_TOKEN}`);
		await see(page, "Two people talk about engines");
		await page.waitForFunction(
			() => (document.querySelector<HTMLVideoElement>(".green-room video")?.videoWidth ?? 0) > 0,
		);
		const self = await page.$eval(".green-room video", (video) => ({
			muted: video.muted,
			mirrored: getComputedStyle(video).transform,
		}));
		expect(self).toEqual({ muted: true, mirrored: "matrix(-1, 0, 0, 1, 0, 0)" });
		// The fake microphone beeps.
		await page.waitForFunction(() => (document.querySelector("meter")?.value ?? 0) > 0.1, PATIENCE);
		await fill(page, "Your name, as viewers read it", "Ada King");
		await click(page, "Camera");
		await see(page, "Your camera is off");
		await click(page, "Enter the studio");
		await page.waitForSelector(".room", PATIENCE);
		expect(await calls(page)).toMatchObject([
			["join", { url: `${pages.origin}/studio/${SHOW_ID}`, token: HOST_TOKEN, camera: false, microphone: true }],
			["command", { type: "set-person", personId: "host", name: "Ada King" }],
		]);
	});

	test("says what is wrong and how to mend it, and lets somebody in without devices", async () => {
		const page = await pages.tab({ denied: true });
		await open(page, `/join/${SHOW_ID}#token=${GUEST_TOKEN}`);
		await see(page, "Your browser does not let this page use your camera and microphone");
		await see(page, "choose Allow");
		await click(page, "Enter");
		await page.waitForFunction(() => window.tandemFake !== undefined || document.querySelector(".room"), PATIENCE);
		expect((await calls(page))[0]).toMatchObject(["join", { camera: false, microphone: false }]);
	});

	test("stays, and says why, when the session does not come about", async () => {
		const page = await pages.tab();
		pages.show.good.delete(INVITE_CODE);
		await open(page, `/join/${SHOW_ID}#invite=${INVITE_CODE}`);
		await click(page, "Enter");
		await see(page, "This link does not work any more");
	});
});

describe("a link", () => {
	test.each([
		["/studio", "This link is not complete"],
		[`/join/${SHOW_ID}`, "This link is not complete"],
		["/join/ffffffffffffffff#token=x", "There is no such show"],
		[`/studio/${SHOW_ID}#token=e30.e30.c2ln`, "This link does not work any more"],
	])("that leads nowhere (%s) says so: %s", async (path, words) => {
		const page = await pages.tab();
		await open(page, path);
		await see(page, words);
	});

	test("of a guest leads from the studio to the right page", async () => {
		const page = await pages.tab();
		await open(page, `/studio/${SHOW_ID}#token=${GUEST_TOKEN}`);
		await see(page, "This is a guest's link");
		await click(page, "Go there");
		await see(page, "You are invited by Ada Lovelace");
		expect(page.url()).toBe(`${pages.origin}/join/${SHOW_ID}`);
	});

	test("to a show that is over says so", async () => {
		pages.show.status = "ended";
		const page = await pages.tab();
		await open(page, `/join/${SHOW_ID}#invite=${INVITE_CODE}`);
		await see(page, "The show is over");
	});

	test("leaves no secret in the address, the title or the document", async () => {
		const page = await enter("host");
		await see(page, "Destinations");
		const { html, title } = await page.evaluate(() => ({
			html: document.documentElement.outerHTML,
			title: document.title,
		}));
		expect(page.url()).toBe(`${pages.origin}/studio/${SHOW_ID}`);
		for (const place of [html, title, page.url(), ...pages.complaints]) {
			expect(place).not.toContain(HOST_TOKEN);
		}
		expect(pages.show.requests.every(({ path }) => !path.includes(HOST_TOKEN))).toBe(true);
	});
});

describe("an invite", () => {
	test("is redeemed on entering, under the name that was given, and not again after a reload", async () => {
		const page = await pages.tab();
		await open(page, `/join/${SHOW_ID}#invite=${INVITE_CODE}`);
		await see(page, "Two people talk about engines");
		expect(asked("POST", "/join")).toEqual([]);
		await fill(page, "Your name, as viewers read it", "Grace Hopper");
		await click(page, "Enter");
		await page.waitForSelector(".room", PATIENCE);
		expect(asked("POST", "/join")).toMatchObject([{ token: INVITE_CODE, body: { name: "Grace Hopper" } }]);
		await page.reload();
		await click(page, "Enter");
		await page.waitForSelector(".room", PATIENCE);
		expect(asked("POST", "/join")).toHaveLength(1);
		expect((await calls(page))[0]).toMatchObject(["join", { token: GUEST_TOKEN }]);
	});
});

describe("the studio", () => {
	test("goes live when that is confirmed, counts, and ends when that is confirmed", async () => {
		const page = await enter("host");
		await see(page, "Not live yet");
		expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Two people talk about engines");
		await click(page, "Go live");
		await see(page, "There is no destination yet");
		await click(page, "Not now");
		expect(asked("POST", "/start")).toEqual([]);
		await click(page, "Go live");
		await page.locator("dialog .primary").click();
		await page.waitForFunction(() => document.querySelector("dialog") === null, PATIENCE);
		expect(asked("POST", "/start")).toHaveLength(1);
		await page.evaluate(() => window.tandemFake?.set({ status: "live", program: "host" }));
		await see(page, "Live 0:0");
		await see(page, "You alone, passed through");
		await click(page, "End show");
		await see(page, "It cannot be started again");
		await page.locator("dialog .danger").click();
		await page.waitForFunction(() => document.querySelector("dialog") === null, PATIENCE);
		expect(asked("POST", "/end")).toHaveLength(1);
		await page.evaluate(() => window.tandemFake?.end("ended by the host"));
		await see(page, "The show is over");
	});

	test("says in the dialog why it did not go live", async () => {
		const page = await enter("host");
		const detail = "broadcast: expected scheduled or lobby, got cancelled";
		pages.show.refusals.set(`POST /api/broadcasts/${SHOW_ID}/start`, { status: 409, title: "Wrong state", detail });
		await click(page, "Go live");
		await page.locator("dialog .primary").click();
		await see(page, detail);
	});

	test("admits whoever waits, who is then seen and heard", async () => {
		const waiting = { ...GUEST, admitted: false };
		const page = await enter("host", { people: [HOST, waiting] });
		await see(page, "Waiting to be let in");
		expect(await page.$$(".stage .tile")).toHaveLength(1);
		await click(page, "Admit Grace Hopper");
		await page.evaluate(() => window.tandemFake?.remote("guest", 210));
		expect(await commands(page)).toEqual([{ type: "admit-person", personId: "guest" }]);
		await page.waitForFunction(
			() => (document.querySelector<HTMLVideoElement>("[data-person=guest] video")?.currentTime ?? 0) > 0,
			PATIENCE,
		);
		const heard = await page.$eval("[data-person=guest] video", (video) => ({
			muted: (video as HTMLVideoElement).muted,
			paused: (video as HTMLVideoElement).paused,
		}));
		expect(heard).toEqual({ muted: false, paused: false });
	});

	test("removes somebody when that is confirmed, mutes, and sets how loud they are", async () => {
		const page = await enter("host", { people: [HOST, GUEST] });
		await click(page, "Mute Grace Hopper for viewers");
		await see(page, "Muted for viewers");
		// Their gain is 1.44, so the slider is at 120: five steps more is 145.
		await page.waitForFunction(() => document.body.textContent.includes("+3.2 dB"), PATIENCE);
		await page.focus(".person-row[data-person=guest] input[type=range]");
		await page.keyboard.press("ArrowRight");
		await click(page, "Remove Grace Hopper");
		await page.locator("dialog .danger").click();
		await see(page, "Not here");
		expect(await commands(page)).toEqual([
			{ type: "set-person", personId: "guest", muted: true },
			{ type: "set-person", personId: "guest", gain: 1.5625 },
			{ type: "remove-person", personId: "guest" },
		]);
	});

	test("changes layout and labels, with the keyboard too, and says when that is refused", async () => {
		const page = await enter("host");
		await page.locator("label.layout ::-p-text(Inset)").click();
		await page.waitForFunction(() => document.querySelector<HTMLInputElement>(".layout:nth-child(2) input")?.checked);
		await page.keyboard.press("ArrowRight");
		await click(page, "Show names in the picture");
		await page.waitForFunction(() => (window.tandemFake?.calls.length ?? 0) >= 4, PATIENCE);
		expect(await commands(page)).toEqual([
			{ type: "set-scene", layout: "pip" },
			{ type: "set-scene", layout: "landscape" },
			{ type: "set-scene", labels: false },
		]);
		await page.evaluate(() => window.tandemFake?.failNext("command", "The server did not answer within 10 s."));
		await page.locator("label.layout ::-p-text(Grid)").click();
		await see(page, "The server did not answer within 10 s.");
		await click(page, "Dismiss");
		await page.waitForFunction(() => !document.body.textContent.includes("did not answer"), PATIENCE);
	});

	test("makes a link for a guest, to be copied", async () => {
		const page = await enter("host");
		await fill(page, "Guest's name, if you like", "Grace");
		await click(page, "Invite");
		await see(page, "Send this link to Grace");
		expect(asked("POST", "/invites")).toMatchObject([{ body: { name: "Grace" }, token: HOST_TOKEN }]);
		const link = await page.$eval('input[aria-label="Invite link"]', (input) => (input as HTMLInputElement).value);
		expect(link).toBe(`https://tandem.example/join/${SHOW_ID}#invite=${INVITE_CODE}`);
		expect(await page.evaluate(() => document.documentElement.outerHTML)).not.toContain(INVITE_CODE);
	});

	test("adds and removes destinations, and says how they are", async () => {
		pages.show.destinations = [
			{
				...DESTINATION,
				state: "refused",
				lastError: "The key is wrong.",
				warnings: [{ code: "video-bitrate-too-low", detail: "YouTube: expected more, got less" }],
			},
		];
		const page = await enter("host");
		await see(page, "The key is wrong. Check address and key");
		await see(page, "YouTube: expected more, got less");
		await click(page, "Add destination");
		await page.select("dialog select", "custom");
		await fill(page, "Address", "https://wrong.example");
		await page.locator("dialog .primary").click();
		await see(page, "The address begins with rtmp://");
		await fill(page, "Address", "rtmp://live.example.com/app");
		await fill(page, "Stream key, if it has one", "a-secret-key");
		await page.locator("dialog .primary").click();
		await see(page, "live.example.com");
		expect(asked("POST", "/destinations")).toMatchObject([
			{ body: { service: "custom", url: "rtmp://live.example.com/app", streamKey: "a-secret-key" } },
		]);
		await click(page, "Remove YouTube");
		await page.locator("dialog .danger").click();
		await page.waitForFunction(() => !document.body.textContent.includes("The key is wrong."), PATIENCE);
		expect(asked("DELETE", "/destinations/d1")).toHaveLength(1);
	});

	test("shows by what ways one is sent, and what the session has to say", async () => {
		const page = await enter("host", {
			legs: { stream: "sending", realTime: "unavailable" },
			advice: { maxHeight: 360, reason: "4 % of packets do not arrive" },
			notices: [{ code: "real-time-unavailable", level: "warning", text: "You hear each other a second late." }],
		});
		await see(page, "Not possible here, the stream is used instead");
		await see(page, "Lowered to at most 360 lines: 4 % of packets do not arrive");
		await see(page, "You hear each other a second late.");
		await page.evaluate(() => window.tandemFake?.set({ notices: [], connection: "broken" }));
		await see(page, "Connecting again…");
		await page.waitForFunction(() => !document.body.textContent.includes("a second late"), PATIENCE);
	});
});

describe("the conversation", () => {
	test("waits, is let in, goes on air: each in words", async () => {
		const page = await enter("guest", { people: [HOST, { ...GUEST, admitted: false }] });
		await see(page, "Ada Lovelace has been told that you are here");
		expect(await page.$$(".stage .tile")).toHaveLength(1);
		await page.evaluate(() => window.tandemFake?.setPerson("guest", { admitted: true }));
		await see(page, "You are in, and not on air");
		await page.evaluate(() => {
			window.tandemFake?.setPerson("host", { talk: "connected" });
			window.tandemFake?.remote("host", 340);
			window.tandemFake?.set({ status: "live" });
		});
		await see(page, "You are on air");
		expect(await page.$$(".stage .tile")).toHaveLength(2);
	});

	test("turns microphone and camera off and on, shares the screen, and says what a device refuses", async () => {
		const page = await enter("guest", { people: [HOST, GUEST] });
		await click(page, "Microphone");
		await see(page, "Mic off");
		await click(page, "Camera");
		await see(page, "Your camera is off");
		await click(page, "Share your screen");
		await click(page, "Stop sharing your screen");
		await page.evaluate(() => window.tandemFake?.failNext("setCamera", "Your camera is in use by another program."));
		await click(page, "Camera");
		await see(page, "Your camera is in use by another program.");
		expect((await calls(page)).slice(1)).toEqual([
			["setMicrophone", false],
			["setCamera", false],
			["shareScreen"],
			["stopSharing"],
			["setCamera", true],
		]);
	});

	test("changes devices in the middle of it", async () => {
		const page = await enter("guest", { people: [HOST, GUEST] });
		await click(page, "Devices");
		await page.waitForFunction(
			() => document.querySelectorAll("dialog .field:nth-child(2) option").length > 1,
			PATIENCE,
		);
		const other = await page.$$eval("dialog .field:nth-child(2) option", (options) => options.at(-1)?.value ?? "");
		await page.select("dialog .field:nth-child(2) select", other);
		await page.waitForFunction(() => window.tandemFake?.calls.some(([method]) => method === "useDevices"), PATIENCE);
		expect((await calls(page)).at(-1)).toEqual(["useDevices", { microphoneId: other }]);
		await page.keyboard.press("Escape");
		await page.waitForFunction(() => document.querySelector("dialog") === null, PATIENCE);
	});

	test("leaves, and comes back", async () => {
		const page = await enter("guest", { people: [HOST, GUEST] });
		await click(page, "Leave");
		await see(page, "You have left");
		await click(page, "Come back");
		await click(page, "Enter");
		await page.waitForSelector(".room", PATIENCE);
		expect((await calls(page)).map(([method]) => method)).toEqual(["join", "leave", "join"]);
	});

	test("says that another window took over, and takes it back", async () => {
		const page = await enter("guest", { people: [HOST, GUEST] });
		await page.evaluate(() => window.tandemFake?.end("taken over"));
		await see(page, "You are in the show from another window");
		await click(page, "Use this window instead");
		await page.waitForSelector(".green-room", PATIENCE);
	});

	test("says that one was removed, and offers no way back", async () => {
		const page = await enter("guest", { people: [HOST, GUEST] });
		pages.show.good.delete(GUEST_TOKEN);
		await page.evaluate(() => window.tandemFake?.end("removed"));
		await see(page, "You are not in the show any more");
		expect(await page.$$("button")).toHaveLength(0);
	});

	test("offers to be tapped where the browser does not play sound by itself", async () => {
		const page = await enter("guest", { people: [HOST, GUEST] });
		await page.evaluate(() => {
			const play = HTMLMediaElement.prototype.play;
			HTMLMediaElement.prototype.play = function refused() {
				HTMLMediaElement.prototype.play = play;
				return Promise.reject(new DOMException("needs a gesture", "NotAllowedError"));
			};
			window.tandemFake?.remote("host", 340);
		});
		await click(page, "Tap to hear");
		await page.waitForFunction(
			() => (document.querySelector<HTMLVideoElement>("[data-person=host] video")?.currentTime ?? 0) > 0,
			PATIENCE,
		);
		await page.waitForFunction(() => document.querySelector(".tap-to-hear") === null, PATIENCE);
	});
});

describe("any size of window", () => {
	test.each([360, 390, 768, 1_280])("of %i pixels shows everything without scrolling sideways", async (width) => {
		pages.show.title = "A title that is much longer than anybody would make it, and does not end where one thinks";
		pages.show.destinations = [{ ...DESTINATION, name: "A-destination-with-a-name-that-nobody-can-break-anywhere" }];
		for (const role of ["host", "guest"] as const) {
			const page = await enter(role, { people: [HOST, GUEST] });
			await page.setViewport({ width, height: 800 });
			await page.waitForFunction((wide) => innerWidth === wide, PATIENCE, width);
			const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
			expect(overflow, role).toBe(0);
		}
	});
});
