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
