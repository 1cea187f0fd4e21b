import { z } from "zod";
import { PublishRejection } from "../../rtmp/acceptor.ts";
import { CLOSE, mayRetryAfter } from "../../worker/protocol/close-codes.ts";

/** The code for a key that names no stream one may publish; OBS and others stop trying at it. */
const BAD_NAME = "NetStream.Publish.BadName";
/** The code for everything else that is wrong with a publisher or its media. */
const DENIED = "NetStream.Publish.Denied";
/** The code for trouble of ours: encoders try again. */
const FAILED = "NetStream.Failed";

/** A problem document (RFC 9457 §3.1), as far as a publisher is told of it. */
const problemSchema = z.object({ title: z.string().max(200), detail: z.string().max(500).optional() });

/** HTTP statuses that say who may publish what; trying again with the same key gets the same answer. */
const FINAL_STATUSES: ReadonlyMap<number, { readonly code: string; readonly title: string }> = new Map([
	[400, { code: BAD_NAME, title: "the stream key is not valid" }],
	[401, { code: BAD_NAME, title: "the stream key is not valid" }],
	[403, { code: DENIED, title: "the stream key may not publish this" }],
	[404, { code: BAD_NAME, title: "there is no such broadcast" }],
	[409, { code: DENIED, title: "the broadcast cannot take a publisher now" }],
	[410, { code: DENIED, title: "the broadcast has ended" }],
]);

/** What a publisher is told when the Worker answers `status` instead of a socket; `undefined` when it is worth trying again. */
export function refusalOfStatus(status: number, body: string): PublishRejection | undefined {
	const known = FINAL_STATUSES.get(status);
	if (known === undefined) {
		return undefined;
	}
	return new PublishRejection(known.code, describe(body) ?? known.title);
}

/** What a publisher is told when the Router closes its socket; `undefined` when the line is worth mending. */
export function refusalOfClose(closeCode: number, reason: string): PublishRejection | undefined {
	if (mayRetryAfter(closeCode)) {
		return undefined;
	}
	const badName: number[] = [CLOSE.unauthorized.code, CLOSE.takenOver.code];
	const code = badName.includes(closeCode) ? BAD_NAME : DENIED;
	return new PublishRejection(code, reason === "" ? `the stream was closed with code ${closeCode}` : reason);
}

export function unknownKeyRefusal(): PublishRejection {
	return new PublishRejection(BAD_NAME, "expected a stream key or token of this service, got something else");
}

export function unreachableRefusal(): PublishRejection {
	return new PublishRejection(FAILED, "the service cannot be reached at the moment");
}

function describe(body: string): string | undefined {
	let parsed: unknown;
	try {
		parsed = JSON.parse(body);
	} catch {
		// Not from our Worker but from something in between; the status says enough.
		return undefined;
	}
	const problem = problemSchema.safeParse(parsed);
	if (!problem.success) {
		return undefined;
	}
	const { title, detail } = problem.data;
	return detail === undefined ? title : `${title}: ${detail}`;
}
