/** One request as its broadcast remembers it. Nothing of it tells what was in it. */
export interface RepeatableRequest {
	/** Of whoever asks, the path and the key they gave. */
	readonly requestKey: string;
	/** Of what was asked. */
	readonly fingerprint: string;
	/** This one try. */
	readonly attempt: string;
	/** It is the request that creates the broadcast. */
	readonly creates: boolean;
}

/** What a broadcast knows of a request when it comes. */
export type RequestStanding =
	/** It is to be carried out now, and its answer to be told. */
	| { readonly state: "first" }
	/** It is being carried out. */
	| { readonly state: "running" }
	/** The same key came with another request. */
	| { readonly state: "mismatch" }
	/** It was carried out, and is not to be again. */
	| { readonly state: "answered"; readonly sealedAnswer: string }
	/** As many as may be remembered are running. */
	| { readonly state: "full" }
	/** Of a request that creates: this broadcast is, or was, another's. */
	| { readonly state: "used" }
	/** There is no such broadcast, and nothing is remembered. */
	| { readonly state: "absent" };

export interface BroadcastAnswersRpc {
	beginRequest(request: RepeatableRequest): Promise<RequestStanding>;
	/** `sealedAnswer` is kept for 24 h; without one the request may be made again at once. */
	finishRequest(request: RepeatableRequest, sealedAnswer: string | undefined): Promise<void>;
}
