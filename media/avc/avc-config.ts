import { ByteReader, MalformedError } from "../bytes/byte-reader.ts";
import { ByteWriter } from "../bytes/byte-writer.ts";
import { NAL_TYPE, type NalLengthSize, nalUnitType } from "./nal-units.ts";

const VERSION = 1;
/** Baseline, Main and Extended: every later profile's record goes on with chroma format and bit depths. */
const PROFILES_WITHOUT_EXTENSION: ReadonlySet<number> = new Set([66, 77, 88]);

/** What a High profile's record says after its parameter sets; many encoders leave it out. */
export interface AvcConfigExtension {
	/** 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4 */
	readonly chromaFormat: number;
	/** Bits a sample, 8 to 14. */
	readonly bitDepthLuma: number;
	readonly bitDepthChroma: number;
	readonly spsExtensions: readonly Uint8Array[];
}

/** AVCDecoderConfigurationRecord, "avcC" (ISO/IEC 14496-15 §5.3.3.1). Parameter sets are NAL units with their header byte. */
export interface AvcConfig {
	readonly profile: number;
	/** The byte of constraint flags between profile and level. */
	readonly compatibility: number;
	/** Ten times the level: 31 for 3.1. */
	readonly level: number;
	readonly lengthSize: NalLengthSize;
	readonly sps: readonly Uint8Array[];
	readonly pps: readonly Uint8Array[];
	readonly extension?: AvcConfigExtension;
}

/** Throws {@link MalformedError}. Parameter sets are views of the record; what follows the record is ignored. */
export function parseAvcConfig(record: Uint8Array): AvcConfig {
	const reader = new ByteReader(record);
	const version = reader.u8();
	if (version !== VERSION) {
		throw new MalformedError(`avc: expected configuration version ${VERSION}, got ${version}`);
	}
	const profile = reader.u8();
	const compatibility = reader.u8();
	const level = reader.u8();
	const lengthSize = (reader.u8() & 0x03) + 1; // UB[6] reserved, UB[2] lengthSizeMinusOne
	if (lengthSize === 3) {
		throw new MalformedError("avc: expected NAL lengths of 1, 2 or 4 bytes, got 3");
	}
	const sps = readParameterSets(reader, reader.u8() & 0x1f, NAL_TYPE.sps); // UB[3] reserved, UB[5] count
	const pps = readParameterSets(reader, reader.u8(), NAL_TYPE.pps);
	const config = { profile, compatibility, level, lengthSize: lengthSize as NalLengthSize, sps, pps };
	const hasExtension = !PROFILES_WITHOUT_EXTENSION.has(profile) && reader.remaining >= 4;
	return hasExtension ? { ...config, extension: readExtension(reader) } : config;
}

function readParameterSets(reader: ByteReader, count: number, expectedType: number): Uint8Array[] {
	const sets: Uint8Array[] = [];
	for (let index = 0; index < count; index += 1) {
		const nal = reader.bytes(reader.u16());
		const type = nalUnitType(nal);
		if (type !== expectedType) {
			throw new MalformedError(`avc: expected a parameter set of NAL type ${expectedType}, got ${type}`);
		}
		sets.push(nal);
	}
	return sets;
}

function readExtension(reader: ByteReader): AvcConfigExtension {
	const chromaFormat = reader.u8() & 0x03; // UB[6] reserved
	const bitDepthLuma = (reader.u8() & 0x07) + 8; // UB[5] reserved
	const bitDepthChroma = (reader.u8() & 0x07) + 8; // UB[5] reserved
	const count = reader.u8();
	const spsExtensions: Uint8Array[] = [];
	for (let index = 0; index < count; index += 1) {
		spsExtensions.push(reader.bytes(reader.u16()));
	}
	return { chromaFormat, bitDepthLuma, bitDepthChroma, spsExtensions };
}

/** Writes the record; throws RangeError for more parameter sets than its counts can say. */
export function writeAvcConfig(config: AvcConfig): Uint8Array {
	const writer = new ByteWriter()
		.u8(VERSION)
		.u8(config.profile)
		.u8(config.compatibility)
		.u8(config.level)
		.u8(0xfc | (config.lengthSize - 1)) // UB[6] 1, UB[2] lengthSizeMinusOne
		.u8(0xe0 | counted(config.sps, 0x1f)); // UB[3] 1, UB[5] count
	writeParameterSets(writer, config.sps);
	writer.u8(counted(config.pps, 0xff));
	writeParameterSets(writer, config.pps);
	if (config.extension !== undefined) {
		writer
			.u8(0xfc | config.extension.chromaFormat) // UB[6] 1
			.u8(0xf8 | (config.extension.bitDepthLuma - 8)) // UB[5] 1
			.u8(0xf8 | (config.extension.bitDepthChroma - 8)) // UB[5] 1
			.u8(counted(config.extension.spsExtensions, 0xff));
		writeParameterSets(writer, config.extension.spsExtensions);
	}
	return writer.finish();
}

function counted(sets: readonly Uint8Array[], most: number): number {
	if (sets.length > most) {
		throw new RangeError(`avc: expected at most ${most} parameter sets, got ${sets.length}`);
	}
	return sets.length;
}

function writeParameterSets(writer: ByteWriter, sets: readonly Uint8Array[]): void {
	for (const nal of sets) {
		if (nal.byteLength > 0xffff) {
			throw new RangeError(`avc: expected a parameter set of at most 65535 bytes, got ${nal.byteLength}`);
		}
		writer.u16(nal.byteLength).bytes(nal);
	}
}

/** The codec string of RFC 6381 §3.3, such as "avc1.42C01E". */
export function avcCodecString(config: Pick<AvcConfig, "profile" | "compatibility" | "level">): string {
	const hex = [config.profile, config.compatibility, config.level].map((byte) => byte.toString(16).padStart(2, "0"));
	return `avc1.${hex.join("").toUpperCase()}`;
}
