import type { BitReader } from "../bytes/bit-reader.ts";

/** Channels of a program_config_element(), read as far as its channel elements (ISO/IEC 14496-3 §4.4.1.1). Throws MalformedError. */
export function readProgramConfigChannels(bits: BitReader): number {
	bits.skip(4 + 2 + 4); // element_instance_tag, object_type, sampling_frequency_index
	const front = bits.bits(4); // num_front_channel_elements
	const side = bits.bits(4); // num_side_channel_elements
	const back = bits.bits(4); // num_back_channel_elements
	const lowFrequency = bits.bits(2); // num_lfe_channel_elements
	const associatedData = bits.bits(3); // num_assoc_data_elements
	const coupling = bits.bits(4); // num_valid_cc_elements
	if (bits.flag()) {
		bits.skip(4); // mono_mixdown_element_number
	}
	if (bits.flag()) {
		bits.skip(4); // stereo_mixdown_element_number
	}
	if (bits.flag()) {
		bits.skip(2 + 1); // matrix_mixdown_idx, pseudo_surround_enable
	}
	let channels = lowFrequency;
	for (let element = 0; element < front + side + back; element += 1) {
		channels += bits.flag() ? 2 : 1; // is_cpe
		bits.skip(4); // tag_select
	}
	bits.skip(4 * lowFrequency + 4 * associatedData + 5 * coupling); // their tags; cc_element_is_ind_sw
	skipComment(bits);
	return channels;
}

/** The element ends byte-aligned, counted from its configuration's first byte, with a comment. */
function skipComment(bits: BitReader): void {
	bits.skip(bits.remaining % 8); // byte_alignment
	bits.skip(8 * bits.bits(8)); // comment_field_bytes, comment_field_data
}
