/** Stands for a VideoFrame where nothing but its closing matters. */
export class FakeFrame {
	closed = 0;

	close(): void {
		this.closed += 1;
	}

	/** As the code under test takes it. */
	get asVideoFrame(): VideoFrame {
		return this as unknown as VideoFrame;
	}
}
