/** How a listener comes by what is relayed over WebSocket. */
export interface Subscription {
	readonly id: string;
	readonly url: string;
	readonly token?: string;
	readonly acknowledges: boolean;
	/** Reads nothing, and so acknowledges nothing, from the beginning on. */
	readonly stuck: boolean;
}

/** RTMP publishers whose key begins with this are left with what they send. */
export const STUCK_KEY_PREFIX = "stuck";
