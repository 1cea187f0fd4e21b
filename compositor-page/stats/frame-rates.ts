import { US_PER_SECOND } from "../../media/units.ts";
import type { PersonStats } from "../../worker/protocol/compositor-stats.ts";

interface Counted {
	readonly videoIn: number;
	readonly atUs: number;
}

/** How many pictures a second come of each person, between one look and the next. */
export class FrameRates {
	#last = new Map<PersonStats["id"], Counted>();

	look(people: readonly Pick<PersonStats, "id" | "videoIn">[], nowUs: number): ReadonlyMap<PersonStats["id"], number> {
		const last = this.#last;
		this.#last = new Map(people.map(({ id, videoIn }) => [id, { videoIn, atUs: nowUs }]));
		return new Map(
			people.map(({ id, videoIn }) => {
				const before = last.get(id);
				const elapsedUs = before === undefined ? 0 : nowUs - before.atUs;
				return [id, elapsedUs <= 0 ? 0 : ((videoIn - (before?.videoIn ?? 0)) * US_PER_SECOND) / elapsedUs];
			}),
		);
	}
}
