import type { FlvTag } from "../../../media/flv/tag.ts";
import { isFlvHeader, readSingleTag } from "../../../media/flv/tag-reader.ts";
import type { CloseKind } from "../../../worker/protocol/close-codes.ts";
import type { MediaSink } from "../../../worker/router/media-sink.ts";

/** A peer that keeps what it is sent. */
export class RecordingSink implements MediaSink {
	readonly messages: Uint8Array[] = [];
	readonly texts: string[] = [];
	closed: { kind: CloseKind; reason: string } | undefined;
	/** Set to act as a socket that has gone. */
	gone = false;

	send(message: Uint8Array): boolean {
		if (this.gone) {
			return false;
		}
		this.messages.push(message);
		return true;
	}

	sendText(text: string): boolean {
		if (!this.gone) {
			this.texts.push(text);
		}
		return !this.gone;
	}

	close(kind: CloseKind, reason: string): void {
		this.closed ??= { kind, reason };
	}

	get tags(): FlvTag[] {
		return this.messages.filter((message) => !isFlvHeader(message)).map(readSingleTag);
	}
}
