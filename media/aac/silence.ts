/** Samples a channel in one AAC-LC frame. */
export const AAC_FRAME_SAMPLES = 1024;

/**
 * One raw_data_block() (ISO/IEC 14496-3 §4.4.2.1), most significant bit first, whose channels have no scale factor band (max_sfb 0) and
 * so no section, scale factor or spectrum: zero in every coefficient, whatever was before.
 *
 * | bits | mono: single_channel_element | stereo: channel_pair_element |
 * |---|---|---|
 * | 3 | id_syn_ele 000 | id_syn_ele 001 |
 * | 4 | element_instance_tag 0 | element_instance_tag 0 |
 * | 1 | – | common_window 1 |
 * | 8 | global_gain 0 | – |
 * | 11 | ics_info: reserved 0, window_sequence 00, window_shape 0, max_sfb 000000, predictor 0 | the same |
 * | 2 | – | ms_mask_present 00 |
 * | 8 | – | global_gain 0 (left) |
 * | 3 | pulse, tns, gain control: 0 | the same (left) |
 * | 8 + 3 | – | the same again (right) |
 * | 3 | id_syn_ele 111 (end) | id_syn_ele 111 (end) |
 */
const SILENCE: Readonly<Record<1 | 2, readonly number[]>> = {
	1: [0x00, 0x00, 0x00, 0x07],
	2: [0x21, 0x00, 0x00, 0x00, 0x00, 0x1c],
};

/** A raw AAC-LC frame of 1024 silent samples a channel, at any sample rate; a new array each time. */
export function silentAacFrame(channels: 1 | 2): Uint8Array {
	return Uint8Array.from(SILENCE[channels]);
}
