import { useEffect, useState } from "preact/hooks";
import type { SessionState } from "../lib/session-types.ts";
import { Confirm } from "../ui/dialog.tsx";
import { errorWords } from "../ui/error-words.ts";
import { Icon } from "../ui/icon.tsx";
import type { Services, Show, ShowApi } from "../ui/show-api.ts";
import { DestinationDialog } from "./destination-dialog.tsx";
import { destinationTitle, destinationTrouble, destinationWords } from "./destination-words.ts";

export interface DestinationsPanelProps {
	/** Absent while they are not known. */
	readonly destinations: Show["destinations"] | undefined;
	readonly status: SessionState["status"];
	readonly api: ShowApi;
	onChanged(): void;
}

/** Where the show goes, how it is doing there, and what the service has against it. */
export function DestinationsPanel({ destinations, status, api, onChanged }: DestinationsPanelProps) {
	const [services, setServices] = useState<Services>([]);
	const [adding, setAdding] = useState(false);
	const [removing, setRemoving] = useState<Show["destinations"][number] | undefined>();
	const [error, setError] = useState<string | undefined>();
	const names = new Map<string, string>(services.map(({ id, name }) => [id, name]));

	useEffect(() => {
		api.services().then(setServices, (failure: unknown) => setError(errorWords(failure)));
	}, [api]);
	const remove = async (id: string) => {
		setRemoving(undefined);
		setError(undefined);
		try {
			await api.removeDestination(id);
			onChanged();
		} catch (failure) {
			setError(errorWords(failure));
		}
	};
	return (
		<section class="panel" aria-labelledby="destinations-title">
			<h2 id="destinations-title">Destinations</h2>
			{destinations?.length === 0 && (
				<p class="quiet">Nowhere yet. Add YouTube, Facebook, Twitch or any RTMP server.</p>
			)}
			<ul class="rows">
				{destinations?.map((destination) => {
					const title = destinationTitle(destination, names);
					const words = destinationWords(destination);
					const trouble = destinationTrouble(destination);
					return (
						<li class="destination" key={destination.id} data-state={destination.state}>
							<div class="person-line">
								<span class="person-name">
									<strong>{title}</strong>
									<span class="words" data-tone={words.tone} role="status">
										{words.text}
									</span>
								</span>
								<button
									type="button"
									class="icon-button"
									aria-label={`Remove ${title}`}
									title="Remove"
									onClick={() => setRemoving(destination)}
								>
									<Icon name="remove" />
								</button>
							</div>
							<p class="quiet address">{destination.url}</p>
							{trouble !== undefined && <p class="fault">{trouble}</p>}
							{destination.warnings.map(({ code, detail }) => (
								<p class="caution" key={code}>
									{detail}
								</p>
							))}
						</li>
					);
				})}
			</ul>
			{error !== undefined && (
				<p class="fault" role="alert">
					{error}
				</p>
			)}
			<button type="button" class="button" disabled={services.length === 0} onClick={() => setAdding(true)}>
				<Icon name="add" />
				Add destination
			</button>
			{adding && (
				<DestinationDialog
					services={services}
					onAdd={async (destination) => {
						await api.addDestination(destination);
						setAdding(false);
						onChanged();
					}}
					onClose={() => setAdding(false)}
				/>
			)}
			{removing !== undefined && (
				<Confirm
					title={`Remove ${destinationTitle(removing, names)}?`}
					text={
						status === "live" ? "The show ends there at once, and goes on elsewhere." : "The show will not go there."
					}
					action="Remove"
					danger
					onConfirm={() => void remove(removing.id)}
					onClose={() => setRemoving(undefined)}
				/>
			)}
		</section>
	);
}
