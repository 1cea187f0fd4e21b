import { Mixer, type MixerInput } from "../../../compositor-page/audio/mixer.ts";
import { MIX_RATE } from "../../../playout/audio/person-audio.ts";
import type { MicroCase } from "../micro-case.ts";

/** What the page mixes at once: 20 ms. */
const STEP_SAMPLES = 960;
const PEOPLE = [2, 4];
/** Together they go over the limiter's ceiling now and then. */
const LOUDNESS = 0.6;

export const MIXER_CASES: readonly MicroCase[] = PEOPLE.map((people) => ({
	name: `Mixer and limiter, ${people} people`,
	unit: "20 ms",
	bytes: people * STEP_SAMPLES * 2 * Float32Array.BYTES_PER_ELEMENT,
	run: mixing(people),
}));

function mixing(people: number): MicroCase["run"] {
	const mixer = new Mixer(MIX_RATE);
	const inputs = Array.from({ length: people }, (_, person): MixerInput => {
		const stepRadians = (2 * Math.PI * (220 + 110 * person)) / MIX_RATE;
		const samples = Float32Array.from(
			{ length: 2 * STEP_SAMPLES },
			(_sample, at) => LOUDNESS * Math.sin((at >> 1) * stepRadians),
		);
		return { id: `person-${person}`, samples };
	});
	const out = new Float32Array(2 * STEP_SAMPLES);
	return (iterations) => {
		for (let index = 0; index < iterations; index += 1) {
			mixer.mix(inputs, STEP_SAMPLES, out);
		}
	};
}
