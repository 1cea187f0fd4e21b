/**
 * Cuts what ffmpeg writes as raw video into pictures of `pictureBytes`. Each is in the same memory as the last: it is the caller's only until the
 * next is asked for.
 */
export async function* rawPictures(stdout: AsyncIterable<Buffer>, pictureBytes: number): AsyncGenerator<Uint8Array> {
	const picture = new Uint8Array(pictureBytes);
	let filled = 0;
	for await (const chunk of stdout) {
		for (let at = 0; at < chunk.byteLength; ) {
			const take = Math.min(picture.byteLength - filled, chunk.byteLength - at);
			picture.set(chunk.subarray(at, at + take), filled);
			filled += take;
			at += take;
			if (filled === picture.byteLength) {
				filled = 0;
				yield picture;
			}
		}
	}
}
