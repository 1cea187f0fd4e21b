import { BitWriter } from "../bytes/bit-writer.ts";
import { AAC_OBJECT_TYPE, parseAacCore } from "./audio-specific-config.ts";

/** Samples a channel in one AAC-LC frame. */
export const AAC_FRAME_SAMPLES = 1024;

/** id_syn_ele (ISO/IEC 14496-3 Table 4.85). */
const ELEMENT = { single: 0, pair: 1, lowFrequency: 3, end: 7 } as const;
type ChannelElement = "single" | "pair" | "lowFrequency";

/** Elements of a frame by channelConfiguration, in their order (Table 1.19); 0 has them elsewhere. */
const ELEMENTS: readonly (readonly ChannelElement[] | undefined)[] = [
	undefined,
	["single"],
	["pair"],
	["single", "pair"],
	["single", "pair", "single"],
	["single", "pair", "pair"],
	["single", "pair", "pair", "lowFrequency"],
	["single", "pair", "pair", "pair", "lowFrequency"],
];

/**
 * A raw frame of silence for a stream of this configuration, a new array each time. `undefined` where Tandem knows none: another core
 * than AAC-LC, and channels that are told by a program config element or by a configuration number past 7.
 *
 * It is one raw_data_block() (ISO/IEC 14496-3 §4.4.2.1) whose channels have no scale factor band (max_sfb 0) and so no section, scale
 * factor or spectrum: zero in every coefficient, whatever was before; the first such frame after sound still fades that out, by the
 * overlap of windows. HE-AAC is silent by its core alone: a frame without band replication data comes out as the core, resampled.
 *
 * @param config the AudioSpecificConfig. Throws {@link MalformedError}.
 */
export function silentAacFrame(config: Uint8Array): Uint8Array | undefined {
	const { objectType, channelConfiguration } = parseAacCore(config);
	const elements = objectType === AAC_OBJECT_TYPE.lc ? ELEMENTS[channelConfiguration] : undefined;
	if (elements === undefined) {
		return undefined;
	}
	const bits = new BitWriter();
	const instances = { single: 0, pair: 0, lowFrequency: 0 };
	for (const element of elements) {
		bits.bits(ELEMENT[element], 3).bits(instances[element], 4); // id_syn_ele, element_instance_tag
		instances[element] += 1;
		writeElement(bits, element);
	}
	return bits.bits(ELEMENT.end, 3).finish(); // id_syn_ele, byte_alignment
}

/** single_channel_element() and lfe_channel_element() are alike; the channels of a pair have their window in common (§4.4.2.1). */
function writeElement(bits: BitWriter, element: ChannelElement): void {
	if (element === "pair") {
		bits.flag(true); // common_window
		writeIcsInfo(bits);
		bits.bits(0, 2); // ms_mask_present
		writeChannel(bits, false);
		writeChannel(bits, false);
	} else {
		writeChannel(bits, true);
	}
}

/** individual_channel_stream() (§4.4.2.7) without a band. */
function writeChannel(bits: BitWriter, hasOwnWindow: boolean): void {
	bits.bits(0, 8); // global_gain
	if (hasOwnWindow) {
		writeIcsInfo(bits);
	}
	bits.flag(false); // pulse_data_present
	bits.flag(false); // tns_data_present
	bits.flag(false); // gain_control_data_present
}

/** ics_info() (§4.4.2.6). */
function writeIcsInfo(bits: BitWriter): void {
	bits.bits(0, 1); // ics_reserved_bit
	bits.bits(0, 2); // window_sequence: ONLY_LONG_SEQUENCE
	bits.bits(0, 1); // window_shape: sine
	bits.bits(0, 6); // max_sfb
	bits.flag(false); // predictor_data_present
}
