/** Thrown when a stream is well-formed but carries a codec that Tandem does not take, such as HEVC. The message names what came. */
export class UnsupportedCodecError extends Error {
	override readonly name: string = "UnsupportedCodecError";
}
