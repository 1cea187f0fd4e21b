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
	onopen: (() => void) | undefined;
	onmessage: ((event: { readonly data: ArrayBuffer | string }) => void) | undefined;
	onclose: ((event: { readonly code: number; readonly reason: string }) => void) | undefined;

	constructor(url: string, protocols: readonly string[]) {
		this.url = url;
		this.protocols = protocols;
		FakeWebSocket.made.push(this);
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

	/** The connection is over, by the other end's close frame or none (1006). */
	end(code: number, reason = ""): void {
		this.readyState = FakeWebSocket.CLOSED;
		this.onclose?.({ code, reason });
	}
}
