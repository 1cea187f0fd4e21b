import { useState } from "preact/hooks";
import { Dialog } from "../ui/dialog.tsx";
import { errorWords } from "../ui/error-words.ts";
import type { NewDestination, Services } from "../ui/show-api.ts";
import { type DestinationForm, destinationOf, formFault } from "./destination-words.ts";

export interface DestinationDialogProps {
	readonly services: Services;
	onAdd(destination: NewDestination): Promise<void>;
	onClose(): void;
}

/** A service and its key, or an address of one's own. */
export function DestinationDialog({ services, onAdd, onClose }: DestinationDialogProps) {
	const [form, setForm] = useState<DestinationForm>({
		service: services[0]?.id ?? "custom",
		server: "",
		url: "",
		streamKey: "",
		name: "",
	});
	const [fault, setFault] = useState<string | undefined>();
	const [busy, setBusy] = useState(false);
	const service = services.find(({ id }) => id === form.service);
	const isCustom = form.service === "custom";
	const change = (changes: Partial<DestinationForm>) => setForm((before) => ({ ...before, ...changes }));
	const add = async (event: Event) => {
		event.preventDefault();
		const missing = formFault(form);
		setFault(missing);
		if (missing !== undefined) {
			return;
		}
		setBusy(true);
		try {
			await onAdd(destinationOf(form));
		} catch (failure) {
			setFault(errorWords(failure));
			setBusy(false);
		}
	};
	return (
		<Dialog title="Add a destination" onClose={onClose}>
			<form class="fields" onSubmit={add}>
				<label class="field">
					<span class="field-name">Service</span>
					<select value={form.service} onChange={(event) => change({ service: event.currentTarget.value, server: "" })}>
						{services.map(({ id, name }) => (
							<option key={id} value={id}>
								{name}
							</option>
						))}
					</select>
				</label>
				{service !== undefined && service.servers.length > 1 && (
					<label class="field">
						<span class="field-name">Server</span>
						<select value={form.server} onChange={(event) => change({ server: event.currentTarget.value })}>
							{service.servers.map(({ name, url }, index) => (
								<option key={url} value={index === 0 ? "" : url}>
									{name}
								</option>
							))}
						</select>
					</label>
				)}
				{isCustom && (
					<label class="field">
						<span class="field-name">Address</span>
						<input
							type="text"
							inputMode="url"
							autocomplete="off"
							spellcheck={false}
							placeholder="rtmps://live.example.com/app"
							value={form.url}
							onInput={(event) => change({ url: event.currentTarget.value })}
						/>
					</label>
				)}
				<label class="field">
					<span class="field-name">{isCustom ? "Stream key, if it has one" : "Stream key"}</span>
					<input
						type="password"
						autocomplete="off"
						spellcheck={false}
						value={form.streamKey}
						onInput={(event) => change({ streamKey: event.currentTarget.value })}
					/>
				</label>
				<label class="field">
					<span class="field-name">Name, to tell it from others</span>
					<input
						type="text"
						maxLength={100}
						placeholder={isCustom ? "My server" : service?.name}
						value={form.name}
						onInput={(event) => change({ name: event.currentTarget.value })}
					/>
				</label>
				<p class="quiet">The key is stored encrypted and never shown again.</p>
				{service?.onlyVia !== undefined && <p class="quiet">{service.onlyVia.reason}</p>}
				{fault !== undefined && (
					<p class="fault" role="alert">
						{fault}
					</p>
				)}
				<div class="actions">
					<button type="button" class="button" onClick={onClose}>
						Not now
					</button>
					<button type="submit" class="button primary" disabled={busy}>
						{busy ? "One moment…" : "Add"}
					</button>
				</div>
			</form>
		</Dialog>
	);
}
