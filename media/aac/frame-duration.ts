import { samplesToUs } from "../units.ts";
import { parseAacCore } from "./audio-specific-config.ts";

/**
 * How long each frame of a stream is, in microseconds (not whole ones); `undefined` for types whose frames' length Tandem does not read.
 *
 * It is the core's samples at the core's rate: band replication doubles both, whether it is signalled first, after the core or not at all.
 *
 * @param config the AudioSpecificConfig. Throws {@link MalformedError}.
 */
export function aacFrameDurationUs(config: Uint8Array): number | undefined {
	const { frameSamples, sampleRate } = parseAacCore(config);
	return frameSamples === undefined ? undefined : samplesToUs(frameSamples, sampleRate);
}
