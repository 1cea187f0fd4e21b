import { ByteReader, MalformedError } from "../media/bytes/byte-reader.ts";
import { ByteWriter } from "../media/bytes/byte-writer.ts";
import { MAX_AMF0_DEPTH, MAX_AMF0_STRING_BYTES, MAX_AMF0_VALUES } from "./limits.ts";

/** AMF0 type markers (AMF 0 specification §2.1). */
const MARKER = {
	number: 0x00,
	boolean: 0x01,
	string: 0x02,
	object: 0x03,
	null: 0x05,
	undefined: 0x06,
	ecmaArray: 0x08,
	objectEnd: 0x09,
	strictArray: 0x0a,
	date: 0x0b,
	longString: 0x0c,
	unsupported: 0x0d,
	xmlDocument: 0x0f,
	typedObject: 0x10,
} as const;

const MAX_SHORT_STRING_BYTES = 0xffff;

export interface Amf0Object {
	readonly [name: string]: Amf0Value;
}

/** An ECMA array: an object that says how many properties it has (AMF 0 §2.10). `onMetaData` is one. */
export class EcmaArray {
	readonly entries: Amf0Object;

	constructor(entries: Amf0Object) {
		this.entries = entries;
	}
}

/** A value as AMF0 can say it. An XML document is read as its string, a typed object as an object, "unsupported" as `undefined`. */
export type Amf0Value =
	| number
	| boolean
	| string
	| null
	| undefined
	| Date
	| EcmaArray
	| Amf0Object
	| readonly Amf0Value[];

/** A plain object of any kind (object or ECMA array), or `undefined` for every other value. */
export function asObject(value: Amf0Value): Amf0Object | undefined {
	if (value instanceof EcmaArray) {
		return value.entries;
	}
	return typeof value === "object" && value !== null && !(value instanceof Date) && !Array.isArray(value)
		? (value as Amf0Object)
		: undefined;
}

export function asString(value: Amf0Value): string | undefined {
	return typeof value === "string" ? value : undefined;
}

/**
 * Reads AMF0 values one after the other until the bytes end.
 *
 * Throws {@link MalformedError} for what ends early, is nested deeper than 16, holds more than 4096 values or is not AMF0.
 */
export function readAmf0(bytes: Uint8Array): Amf0Value[] {
	const parser = new Amf0Parser(bytes);
	const values: Amf0Value[] = [];
	while (parser.remaining > 0) {
		values.push(parser.value(0));
	}
	return values;
}

export function writeAmf0(values: readonly Amf0Value[]): Uint8Array {
	const writer = new ByteWriter(256);
	for (const value of values) {
		writeValue(writer, value, 0);
	}
	return writer.finish();
}

class Amf0Parser {
	readonly #reader: ByteReader;
	// A byte order mark is a character of the string here; text that is not UTF-8 must not end a connection.
	readonly #utf8 = new TextDecoder("utf-8", { ignoreBOM: true, fatal: false });
	#values = 0;

	constructor(bytes: Uint8Array) {
		this.#reader = new ByteReader(bytes);
	}

	get remaining(): number {
		return this.#reader.remaining;
	}

	value(depth: number): Amf0Value {
		return this.#valueOf(this.#reader.u8(), depth);
	}

	#valueOf(marker: number, depth: number): Amf0Value {
		this.#values += 1;
		if (this.#values > MAX_AMF0_VALUES) {
			throw new MalformedError(`amf0: expected at most ${MAX_AMF0_VALUES} values, got more`);
		}
		if (depth > MAX_AMF0_DEPTH) {
			throw new MalformedError(`amf0: expected nesting of at most ${MAX_AMF0_DEPTH}, got more`);
		}
		const reader = this.#reader;
		switch (marker) {
			case MARKER.number:
				return reader.f64();
			case MARKER.boolean:
				return reader.u8() !== 0;
			case MARKER.string:
				return this.#string(reader.u16());
			case MARKER.longString:
			case MARKER.xmlDocument:
				return this.#string(reader.u32());
			case MARKER.null:
				return null;
			case MARKER.undefined:
			case MARKER.unsupported:
				return undefined;
			case MARKER.object:
				return this.#properties(depth);
			case MARKER.typedObject:
				this.#string(reader.u16());
				return this.#properties(depth);
			case MARKER.ecmaArray:
				// The count is a hint that many get wrong; the end marker decides.
				reader.u32();
				return new EcmaArray(this.#properties(depth));
			case MARKER.strictArray:
				return this.#strictArray(depth);
			case MARKER.date: {
				const timeMs = reader.f64();
				reader.skip(2); // time zone: reserved, not used (§2.13)
				return new Date(timeMs);
			}
			default:
				throw new MalformedError(
					`amf0: expected a type marker at offset ${reader.offset - 1}, got 0x${marker.toString(16).padStart(2, "0")}`,
				);
		}
	}

	#string(length: number): string {
		if (length > MAX_AMF0_STRING_BYTES) {
			throw new MalformedError(`amf0: expected a string of at most ${MAX_AMF0_STRING_BYTES} bytes, got ${length}`);
		}
		return this.#utf8.decode(this.#reader.bytes(length));
	}

	#properties(depth: number): Amf0Object {
		// No prototype, so that a property named __proto__ is only a property.
		const properties: Record<string, Amf0Value> = Object.create(null);
		for (;;) {
			const name = this.#string(this.#reader.u16());
			const marker = this.#reader.u8();
			if (name === "" && marker === MARKER.objectEnd) {
				return properties;
			}
			properties[name] = this.#valueOf(marker, depth + 1);
		}
	}

	#strictArray(depth: number): Amf0Value[] {
		const count = this.#reader.u32();
		if (count > this.remaining) {
			throw new MalformedError(
				`amf0: expected an array of at most ${this.remaining} values here, got a count of ${count}`,
			);
		}
		const values: Amf0Value[] = [];
		for (let index = 0; index < count; index += 1) {
			values.push(this.value(depth + 1));
		}
		return values;
	}
}

function writeValue(writer: ByteWriter, value: Amf0Value, depth: number): void {
	if (depth > MAX_AMF0_DEPTH) {
		throw new RangeError(`amf0: expected nesting of at most ${MAX_AMF0_DEPTH}, got more`);
	}
	if (value === null) {
		writer.u8(MARKER.null);
	} else if (value === undefined) {
		writer.u8(MARKER.undefined);
	} else if (typeof value === "number") {
		writer.u8(MARKER.number).f64(value);
	} else if (typeof value === "boolean") {
		writer.u8(MARKER.boolean).u8(value ? 1 : 0);
	} else if (typeof value === "string") {
		writeString(writer, value);
	} else if (value instanceof Date) {
		writer.u8(MARKER.date).f64(value.getTime()).u16(0);
	} else if (value instanceof EcmaArray) {
		writer.u8(MARKER.ecmaArray).u32(Object.keys(value.entries).length);
		writeProperties(writer, value.entries, depth);
	} else if (Array.isArray(value)) {
		writer.u8(MARKER.strictArray).u32(value.length);
		for (const item of value) {
			writeValue(writer, item, depth + 1);
		}
	} else {
		writer.u8(MARKER.object);
		writeProperties(writer, value as Amf0Object, depth);
	}
}

function writeString(writer: ByteWriter, value: string): void {
	const bytes = new TextEncoder().encode(value);
	if (bytes.length > MAX_AMF0_STRING_BYTES) {
		throw new RangeError(`amf0: expected a string of at most ${MAX_AMF0_STRING_BYTES} bytes, got ${bytes.length}`);
	}
	if (bytes.length > MAX_SHORT_STRING_BYTES) {
		writer.u8(MARKER.longString).u32(bytes.length).bytes(bytes);
	} else {
		writer.u8(MARKER.string).u16(bytes.length).bytes(bytes);
	}
}

function writeProperties(writer: ByteWriter, properties: Amf0Object, depth: number): void {
	for (const [name, value] of Object.entries(properties)) {
		const bytes = new TextEncoder().encode(name);
		if (bytes.length > MAX_SHORT_STRING_BYTES) {
			throw new RangeError(`amf0: expected a name of at most ${MAX_SHORT_STRING_BYTES} bytes, got ${bytes.length}`);
		}
		writer.u16(bytes.length).bytes(bytes);
		writeValue(writer, value, depth + 1);
	}
	writer.u16(0).u8(MARKER.objectEnd);
}
