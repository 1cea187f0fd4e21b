import type { SessionState } from "../lib/session-types.ts";
import { adviceWords, realTimeWords, streamWords } from "../ui/session-words.ts";

/** By what ways the host's picture and sound leave this page. */
export function SendingPanel({ state: { legs, advice } }: { readonly state: SessionState }) {
	const [stream, realTime] = [streamWords(legs.stream), realTimeWords(legs.realTime)];
	const lowered = advice === undefined ? undefined : adviceWords(advice);
	return (
		<section class="panel" aria-labelledby="sending-title">
			<h2 id="sending-title">How you are sent</h2>
			<dl class="facts">
				<dt>Stream, for a show alone</dt>
				<dd class="words" data-tone={stream.tone}>
					{stream.text}
				</dd>
				<dt>Real time, with guests</dt>
				<dd class="words" data-tone={realTime.tone}>
					{realTime.text}
				</dd>
			</dl>
			{lowered !== undefined && (
				<p class="caution" role="status">
					{lowered}
				</p>
			)}
		</section>
	);
}
