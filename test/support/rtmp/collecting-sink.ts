import type { FlvTag } from "../../../media/flv/tag.ts";
import {
	type PublishRequest,
	type PublishSink,
	RtmpAcceptor,
	type RtmpAcceptorOptions,
} from "../../../rtmp/acceptor.ts";
import type { ByteTransport } from "../../../rtmp/transport.ts";

/** An acceptor whose every publisher is welcome, with all it saw. */
export class CollectingAcceptor {
	readonly requests: PublishRequest[] = [];
	readonly tags: FlvTag[] = [];
	readonly endings: string[] = [];
	readonly errors: string[] = [];
	readonly acceptor: RtmpAcceptor;
	readonly ended: Promise<void>;

	constructor(transport: ByteTransport, options: Partial<RtmpAcceptorOptions> = {}) {
		this.acceptor = new RtmpAcceptor(transport, {
			onPublish: async (request) => {
				this.requests.push(request);
				return this.sink();
			},
			onError: (error) => this.errors.push(error.message),
			...options,
		});
		this.ended = this.acceptor.run();
	}

	sink(): PublishSink {
		return {
			onTag: (tag) => {
				this.tags.push(tag);
			},
			onEnd: (reason) => {
				this.endings.push(reason);
			},
		};
	}
}
