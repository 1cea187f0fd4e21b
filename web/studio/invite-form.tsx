import { useRef, useState } from "preact/hooks";
import { MAX_PERSON_NAME_LENGTH } from "../../worker/protocol/live-commands.ts";
import { errorWords } from "../ui/error-words.ts";
import { Icon } from "../ui/icon.tsx";
import type { CreatedInvite } from "../ui/show-api.ts";
import { momentWords } from "../ui/time-words.ts";

/** Makes a link for one guest. It is shown until the next one is made, and nowhere else again. */
export function InviteForm({ onInvite }: { onInvite(name: string | undefined): Promise<CreatedInvite> }) {
	const [name, setName] = useState("");
	const [made, setMade] = useState<CreatedInvite | undefined>();
	const [busy, setBusy] = useState(false);
	const [error, setError] = useState<string | undefined>();
	const [copied, setCopied] = useState(false);
	const link = useRef<HTMLInputElement>(null);

	const copy = async (text: string) => {
		try {
			await navigator.clipboard.writeText(text);
			setCopied(true);
		} catch {
			// Not allowed, or not a secure address: the person copies what is selected.
			link.current?.select();
		}
	};
	const invite = async (event: Event) => {
		event.preventDefault();
		setBusy(true);
		setError(undefined);
		setCopied(false);
		try {
			const invited = await onInvite(name.trim() === "" ? undefined : name.trim());
			setMade(invited);
			setName("");
			await copy(invited.link);
		} catch (failure) {
			setError(errorWords(failure));
		} finally {
			setBusy(false);
		}
	};
	return (
		<form class="invite" onSubmit={invite}>
			<div class="inline">
				<input
					type="text"
					aria-label="Guest's name, if you like"
					placeholder="Guest's name"
					maxLength={MAX_PERSON_NAME_LENGTH}
					value={name}
					onInput={(event) => setName(event.currentTarget.value)}
				/>
				<button type="submit" class="button" disabled={busy}>
					<Icon name="add" />
					Invite
				</button>
			</div>
			{error !== undefined && (
				<p class="fault" role="alert">
					{error}
				</p>
			)}
			{made !== undefined && (
				<div class="invite-made">
					<p class="quiet">
						Send this link to {made.name ?? "your guest"}. It works once, until{" "}
						{momentWords(Date.parse(made.expiresAt))}.
					</p>
					<div class="inline">
						<input
							ref={link}
							type="text"
							readOnly
							aria-label="Invite link"
							value={made.link}
							onFocus={(event) => event.currentTarget.select()}
						/>
						<button type="button" class="button" onClick={() => void copy(made.link)}>
							<Icon name={copied ? "check" : "copy"} />
							<span role="status">{copied ? "Copied" : "Copy"}</span>
						</button>
					</div>
				</div>
			)}
		</form>
	);
}
