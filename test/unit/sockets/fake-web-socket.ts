/** A WebSocket whose other end is the test. Put in place of the global one with `vi.stubGlobal`. */
export class FakeWebSocket {
	static readonly CONNECTING = 0;
	static readonly OPEN = 1;
	static readonly CLOSING = 2;
	static readonly CLOSED = 3;
	static made: FakeWebSocket[] = [];

	readonly url: string;
	readonly protocols: readonly string[];
	binaryType = "blob";
	readyState = FakeWebSocket.CONNECTING;
	readonly closedWith: [code: number, reason: string][] = [];
	readonly sent: (Uint8Array | string)[] = [];
	bufferedAmount = 0;
	onopen: (() => void) | null = null;
	onmessage: ((event: { readonly data: ArrayBuffer | string }) => void) | null = null;
	onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null = null;

	constructor(url: string, protocols: readonly string[]) {
		this.url = url;
		this.protocols = protocols;
		FakeWebSocket.made.push(this);
	}

	static latest(): FakeWebSocket {
		const socket = FakeWebSocket.made.at(-1);
		if (socket === undefined) {
			throw new Error("expected a socket, got none");
		}
		return socket;
	}

	send(data: Uint8Array | string): void {
		if (this.readyState !== FakeWebSocket.OPEN) {
			throw new Error("expected to send on an open socket, got another");
		}
		this.sent.push(data);
	}

	close(code: number, reason: string): void {
		this.closedWith.push([code, reason]);
		this.readyState = FakeWebSocket.CLOSING;
	}

	/** The other end accepts. */
	accept(): void {
		this.readyState = FakeWebSocket.OPEN;
		this.onopen?.();
	}

	/** The other end says something. */
	say(data: Uint8Array | string): void {
		this.onmessage?.({ data: typeof data === "string" ? data : (data.slice().buffer as ArrayBuffer) });
	}

	/** The connection is over, by the other end's close frame or none (1006). */
	end(code: number, reason = ""): void {
		this.readyState = FakeWebSocket.CLOSED;
		this.onclose?.({ code, reason });
	}
}
