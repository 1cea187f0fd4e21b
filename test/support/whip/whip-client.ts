const FRAGMENT = "application/trickle-ice-sdpfrag";

/** The HTTP side of a WHIP client (RFC 9725), for WebRTC stacks that have none. */
export class WhipClient {
	readonly answer: string;
	readonly #location: string;
	#etag: string;

	private constructor(answer: string, location: string, etag: string) {
		this.answer = answer;
		this.#location = location;
		this.#etag = etag;
	}

	/** @param url of the endpoint, with the stream key in it where there is no bearer token */
	static async post(url: string, offer: string, bearer?: string): Promise<WhipClient> {
		const response = await fetch(url, {
			method: "POST",
			headers: {
				"Content-Type": "application/sdp",
				...(bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` }),
			},
			body: offer,
		});
		const answer = await said(response, 201);
		const location = response.headers.get("Location");
		const etag = response.headers.get("ETag");
		if (location === null || etag === null) {
			throw new Error("whip client: expected Location and ETag, got an answer without");
		}
		return new WhipClient(answer, new URL(location, url).href, etag);
	}

	async trickle(fragment: string): Promise<void> {
		await said(await this.#patch(fragment, this.#etag), 204);
	}

	/** Gives the fragment that answers it. */
	async restart(fragment: string): Promise<string> {
		const response = await this.#patch(fragment, "*");
		const answer = await said(response, 200);
		this.#etag = response.headers.get("ETag") ?? "";
		return answer;
	}

	/** Gives the status: 200, or 404 where the session was over. */
	async end(): Promise<number> {
		return (await fetch(this.#location, { method: "DELETE" })).status;
	}

	#patch(body: string, ifMatch: string): Promise<Response> {
		return fetch(this.#location, {
			method: "PATCH",
			headers: { "Content-Type": FRAGMENT, "If-Match": ifMatch },
			body,
		});
	}
}

async function said(response: Response, expected: number): Promise<string> {
	const text = await response.text();
	if (response.status !== expected) {
		throw new Error(`whip client: expected ${expected}, got ${response.status} ${text}`);
	}
	return text;
}
