/** A NAL unit's payload without its emulation prevention bytes: 00 00 03 becomes 00 00 (ITU-T H.264 §7.4.1.1). Copies. */
export function nalToRbsp(nal: Uint8Array): Uint8Array {
	const rbsp = new Uint8Array(nal.byteLength);
	let length = 0;
	let zeros = 0;
	for (const byte of nal) {
		if (zeros >= 2 && byte === 3) {
			zeros = 0;
			continue;
		}
		rbsp[length] = byte;
		length += 1;
		zeros = byte === 0 ? zeros + 1 : 0;
	}
	return rbsp.subarray(0, length);
}

/**
 * A NAL unit of a header byte and a payload, with emulation prevention: 03 goes between two zeros and a byte below 4, and after two
 * zeros at the end, where cabac_zero_words leave them (ITU-T H.264 §7.4.1.1). Copies.
 */
export function rbspToNal(header: number, rbsp: Uint8Array): Uint8Array {
	const nal = new Uint8Array(1 + rbsp.byteLength + Math.ceil(rbsp.byteLength / 2) + 1); // a 03 after every second byte at most, and one at the end
	nal[0] = header;
	let length = 1;
	let zeros = 0;
	for (const byte of rbsp) {
		if (zeros === 2 && byte <= 3) {
			nal[length] = 3;
			length += 1;
			zeros = 0;
		}
		nal[length] = byte;
		length += 1;
		zeros = byte === 0 ? zeros + 1 : 0;
	}
	if (zeros === 2) {
		nal[length] = 3;
		length += 1;
	}
	return nal.slice(0, length);
}
