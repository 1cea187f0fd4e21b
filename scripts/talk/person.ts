import puppeteer, { type Browser, type Page } from "puppeteer-core";
import { CHROMIUM_FLAGS, CHROMIUM_PATH } from "../../test/support/browser/chromium.ts";
import type { Talker } from "../../test/support/system/talkers.ts";
import type { GuestNetwork } from "./guest-network.ts";
import {
	type FakeDeviceOptions,
	type HeardFigures,
	installFakeDevices,
	installProxiedPeers,
	installReader,
	type PersonReadings,
	readHeardFigures,
	takeReadings,
} from "./in-page.ts";
import type { UdpProxy } from "./udp-proxy.ts";

const CLICK_WITHIN_MS = 60_000;
const VIEWPORT = { width: 1280, height: 800 };
const PICTURE = { width: 640, height: 360, frameRate: 30 };

/** By whose clock and beep each is known. */
export const MARKS: Readonly<Record<Talker, FakeDeviceOptions>> = {
	host: { id: 1, toneHz: 1_000, ...PICTURE },
	guest: { id: 2, toneHz: 1_700, ...PICTURE },
};

/** Somebody with a browser of their own, whose camera shows the time and whose microphone beeps with it. */
export class TalkPerson implements AsyncDisposable {
	readonly page: Page;
	readonly complaints: string[] = [];
	readonly #browser: Browser;

	private constructor(browser: Browser, page: Page) {
		this.#browser = browser;
		this.page = page;
		page.on("pageerror", (error) => this.complaints.push(String(error)));
		page.on("console", (message) => {
			if (message.type() === "error") {
				this.complaints.push(message.text());
			}
		});
	}

	/**
	 * @param proxy what all WebRTC goes through, where it is to be disturbed
	 * @param network where they are, if that is not here
	 */
	static async open(talker: Talker, link: string, proxy?: UdpProxy, network?: GuestNetwork): Promise<TalkPerson> {
		const address = (await network?.linkFromInside(link)) ?? link;
		const browser = await puppeteer.launch({
			executablePath: network?.runner(CHROMIUM_PATH) ?? CHROMIUM_PATH,
			headless: true,
			// From another network nobody could connect to a port of the browser's.
			pipe: network !== undefined,
			args: [
				...CHROMIUM_FLAGS,
				"--use-fake-ui-for-media-stream",
				"--use-fake-device-for-media-stream",
				...(network === undefined ? [] : [`--unsafely-treat-insecure-origin-as-secure=${new URL(address).origin}`]),
			],
		});
		try {
			const page = await browser.newPage();
			await page.setViewport(VIEWPORT);
			// The reader brings a worklet of its own.
			await page.setBypassCSP(true);
			const other: Talker = talker === "host" ? "guest" : "host";
			const { id, toneHz } = MARKS[other];
			await page.evaluateOnNewDocument(installFakeDevices, MARKS[talker]);
			await page.evaluateOnNewDocument(installReader, {
				selector: `.tile[data-person="${other}"] video`,
				id,
				toneHz,
			});
			if (proxy !== undefined) {
				await page.exposeFunction("tandemProxyPort", (address: string, port: number) => proxy.portFor(address, port));
				// One of the two has to be told of the other: the guest is told, through the proxy.
				const hidesFrom = talker === "host" ? ["compositor"] : ["compositor", "host"];
				await page.evaluateOnNewDocument(installProxiedPeers, { hidesFrom });
			}
			const person = new TalkPerson(browser, page);
			// A browser that has just started in a network of its own takes the sight of it for a change.
			await page.goto(address).catch(() => page.goto(address));
			return person;
		} catch (error) {
			await browser.close();
			throw error;
		}
	}

	async click(name: string): Promise<void> {
		await this.page.locator(`::-p-aria([name="${name}"])`).setTimeout(CLICK_WITHIN_MS).click();
	}

	/** What was seen and heard of the other since it was last asked. */
	readings(): Promise<PersonReadings> {
		return this.page.evaluate(takeReadings);
	}

	heardFigures(): Promise<HeardFigures> {
		return this.page.evaluate(readHeardFigures);
	}

	words(): Promise<string> {
		return this.page.evaluate(() => document.body.textContent ?? "");
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#browser.close();
	}
}
