import { BitReader } from "../bytes/bit-reader.ts";
import { BitWriter } from "../bytes/bit-writer.ts";
import { MalformedError } from "../bytes/byte-reader.ts";
import { readProgramConfigChannels } from "./program-config.ts";

/** Audio object types that Tandem names (ISO/IEC 14496-3 Table 1.17). */
export const AAC_OBJECT_TYPE = { lc: 2, sbr: 5, ps: 29 } as const;

/** By samplingFrequencyIndex (Table 1.18); 15 means that 24 bits follow. */
const SAMPLE_RATES: readonly number[] = [
	96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350,
];
const EXPLICIT_SAMPLE_RATE = 15;
/** Channels by channelConfiguration (Table 1.19); 0 means that a program config element tells them. */
const CHANNELS: readonly (number | undefined)[] = [
	undefined,
	1,
	2,
	3,
	4,
	5,
	6,
	8,
	undefined,
	undefined,
	undefined,
	7,
	8,
	24,
	8,
];
/** Object types whose configuration goes on with a GASpecificConfig (Table 1.15). */
const GENERAL_AUDIO_TYPES: ReadonlySet<number> = new Set([1, 2, 3, 4, 6, 7, 17, 19, 20, 21, 22, 23]);
const OBJECT_TYPES_WITH_LAYER: ReadonlySet<number> = new Set([6, 20]);
const RESILIENT_OBJECT_TYPES: ReadonlySet<number> = new Set([17, 19, 20, 23]);
const LOW_DELAY_OBJECT_TYPE = 23;
const OBJECT_TYPE_ESCAPE = 31;
const SYNC_EXTENSION = 0x2b7;

/** An AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1). */
export interface AudioSpecificConfig {
	/** The first one signalled: 2 AAC-LC, 5 HE-AAC, 29 HE-AAC v2. */
	readonly objectType: number;
	/** Hz at the decoder's output: with spectral band replication signalled that is twice the core's. */
	readonly sampleRate: number;
	/** Channels at the decoder's output: 2 with explicit parametric stereo. */
	readonly channels: number;
}

/** What the frames themselves are made of: with band replication the core under it, else all there is. */
export interface AacCore {
	readonly objectType: number;
	/** Hz of the core: half of what comes out where band replication is signalled. */
	readonly sampleRate: number;
	/** Which elements a frame holds (Table 1.19); 0 where a program config element tells them. */
	readonly channelConfiguration: number;
	/** Samples a channel in a frame, at the core's rate; `undefined` for types without a GASpecificConfig. */
	readonly frameSamples: number | undefined;
}

/** Throws {@link MalformedError}. What follows the configuration is ignored. */
export function parseAudioSpecificConfig(bytes: Uint8Array): AudioSpecificConfig {
	const bits = new BitReader(bytes);
	const { core, objectType, extensionSampleRate, channels } = readUpToCore(bits);
	const sampleRate = extensionSampleRate ?? readSyncExtension(bits) ?? core.sampleRate;
	return { objectType, sampleRate, channels: objectType === AAC_OBJECT_TYPE.ps ? 2 : channels };
}

/** The core of a configuration as {@link parseAudioSpecificConfig} takes it. Throws {@link MalformedError}. */
export function parseAacCore(bytes: Uint8Array): AacCore {
	return readUpToCore(new BitReader(bytes)).core;
}

interface UpToCore {
	readonly core: AacCore;
	/** The first one signalled. */
	readonly objectType: number;
	/** extensionSamplingFrequency, where band replication is signalled first. */
	readonly extensionSampleRate: number | undefined;
	/** Of the core. */
	readonly channels: number;
}

function readUpToCore(bits: BitReader): UpToCore {
	const objectType = readObjectType(bits);
	const sampleRate = readSampleRate(bits);
	const channelConfiguration = bits.bits(4);
	const isExtended = objectType === AAC_OBJECT_TYPE.sbr || objectType === AAC_OBJECT_TYPE.ps;
	const extensionSampleRate = isExtended ? readSampleRate(bits) : undefined;
	const coreObjectType = isExtended ? readObjectType(bits) : objectType;
	const general = GENERAL_AUDIO_TYPES.has(coreObjectType)
		? readGeneralAudio(bits, coreObjectType, channelConfiguration)
		: undefined;
	const channels = CHANNELS[channelConfiguration] ?? general?.elementChannels;
	if (channels === undefined || channels === 0) {
		throw new MalformedError(`aac: expected a channel configuration with channels, got ${channelConfiguration}`);
	}
	const core = { objectType: coreObjectType, sampleRate, channelConfiguration, frameSamples: general?.frameSamples };
	return { core, objectType, extensionSampleRate, channels };
}

interface GeneralAudio {
	readonly frameSamples: number;
	/** Channels of the program config element, where there is one. */
	readonly elementChannels: number | undefined;
}

/** GASpecificConfig (§4.4.1). */
function readGeneralAudio(bits: BitReader, objectType: number, channelConfiguration: number): GeneralAudio {
	const isShort = bits.flag(); // frameLengthFlag
	const [longer, shorter] = objectType === LOW_DELAY_OBJECT_TYPE ? [512, 480] : [1024, 960];
	if (bits.flag()) {
		bits.skip(14); // dependsOnCoreCoder: coreCoderDelay
	}
	const hasExtension = bits.flag(); // extensionFlag
	const elementChannels = channelConfiguration === 0 ? readProgramConfigChannels(bits) : undefined;
	if (OBJECT_TYPES_WITH_LAYER.has(objectType)) {
		bits.skip(3); // layerNr
	}
	if (hasExtension) {
		if (objectType === 22) {
			bits.skip(5 + 11); // numOfSubFrame, layer_length
		}
		if (RESILIENT_OBJECT_TYPES.has(objectType)) {
			bits.skip(3); // aacSectionDataResilienceFlag, aacScalefactorDataResilienceFlag, aacSpectralDataResilienceFlag
		}
		bits.flag(); // extensionFlag3
	}
	return { frameSamples: isShort ? shorter : longer, elementChannels };
}

/** Backward-compatible signalling of spectral band replication, after a core that looks like plain AAC (§1.6.5.2); gives its rate. */
function readSyncExtension(bits: BitReader): number | undefined {
	if (bits.remaining < 16 || bits.bits(11) !== SYNC_EXTENSION || readObjectType(bits) !== AAC_OBJECT_TYPE.sbr) {
		return undefined;
	}
	return bits.remaining > 0 && bits.flag() ? readSampleRate(bits) : undefined; // sbrPresentFlag
}

function readObjectType(bits: BitReader): number {
	const type = bits.bits(5);
	return type === OBJECT_TYPE_ESCAPE ? 32 + bits.bits(6) : type;
}

function readSampleRate(bits: BitReader): number {
	const index = bits.bits(4);
	const sampleRate = index === EXPLICIT_SAMPLE_RATE ? bits.bits(24) : SAMPLE_RATES[index];
	if (sampleRate === undefined || sampleRate === 0) {
		throw new MalformedError(`aac: expected a sampling frequency index of 0 to 12 or 15, got ${index}`);
	}
	return sampleRate;
}

/**
 * Writes a configuration of AAC-LC or another type without extensions, of 1024-sample frames.
 *
 * Throws RangeError for what has no place in it: HE-AAC, other numbers of channels than 1 to 6 and 8.
 */
export function writeAudioSpecificConfig(config: AudioSpecificConfig): Uint8Array {
	const { objectType, sampleRate, channels } = config;
	if (objectType < 1 || objectType > 4) {
		throw new RangeError(`aac: expected an object type of 1 to 4, got ${objectType}`);
	}
	const channelConfiguration = CHANNELS.indexOf(channels, 1);
	if (channelConfiguration < 1 || channelConfiguration > 7) {
		throw new RangeError(`aac: expected 1 to 6 or 8 channels, got ${channels}`);
	}
	const bits = new BitWriter().bits(objectType, 5); // audioObjectType
	const index = SAMPLE_RATES.indexOf(sampleRate);
	if (index === -1) {
		bits.bits(EXPLICIT_SAMPLE_RATE, 4).bits(sampleRate, 24); // samplingFrequencyIndex, samplingFrequency
	} else {
		bits.bits(index, 4); // samplingFrequencyIndex
	}
	return bits
		.bits(channelConfiguration, 4)
		.flag(false) // frameLengthFlag: 1024 samples
		.flag(false) // dependsOnCoreCoder
		.flag(false) // extensionFlag
		.finish();
}

/** The codec string of RFC 6381 §3.3, such as "mp4a.40.2". */
export function aacCodecString(config: Pick<AudioSpecificConfig, "objectType">): string {
	return `mp4a.40.${config.objectType}`;
}
