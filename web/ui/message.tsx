import type { ComponentChildren } from "preact";
import { ApiRefusalError } from "../lib/api-client.ts";
import { errorWords } from "./error-words.ts";
import { PageHeading } from "./page-heading.tsx";

/** A page with one thing to say, and perhaps one thing to do. */
export function Message({
	title,
	text,
	children,
}: {
	readonly title: string;
	readonly text: string;
	readonly children?: ComponentChildren;
}) {
	return (
		<main class="message">
			<PageHeading>{title}</PageHeading>
			<p>{text}</p>
			{children !== undefined && <div class="actions">{children}</div>}
		</main>
	);
}

/** Why a show cannot be shown. What a new attempt may mend gets a button. */
export function Failure({ error, onRetry }: { readonly error: unknown; onRetry(): void }) {
	const final = error instanceof ApiRefusalError && error.status < 500 && error.status !== 429;
	return (
		<Message title={final ? "This link does not lead to a show" : "The show does not answer"} text={errorWords(error)}>
			{!final && (
				<button type="button" class="button primary" onClick={onRetry}>
					Try again
				</button>
			)}
		</Message>
	);
}
