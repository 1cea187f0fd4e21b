import { MalformedError } from "../media/bytes/byte-reader.ts";
import { type Amf0Object, type Amf0Value, asObject, asString, readAmf0, writeAmf0 } from "./amf0.ts";
import { MAX_COMMAND_BYTES } from "./limits.ts";

/** A remote call or its answer (RTMP 1.0 §7.1.1): `args[0]` is the command object, `null` where there is none. */
export interface Command {
	readonly name: string;
	/** Which call an answer belongs to; 0 asks for none. */
	readonly transactionId: number;
	readonly args: readonly Amf0Value[];
}

/** @throws {MalformedError} when the payload is not a name, a number and values */
export function readCommand(payload: Uint8Array): Command {
	if (payload.length > MAX_COMMAND_BYTES) {
		throw new MalformedError(`rtmp command: expected at most ${MAX_COMMAND_BYTES} bytes, got ${payload.length}`);
	}
	// Some servers' onBWDone ends after its name.
	const [name, transactionId = 0, ...args] = readAmf0(payload);
	if (typeof name !== "string") {
		throw new MalformedError(`rtmp command: expected a name first, got ${typeName(name)}`);
	}
	if (typeof transactionId !== "number") {
		throw new MalformedError(`rtmp command: expected a transaction id after the name, got ${typeName(transactionId)}`);
	}
	return { name, transactionId, args };
}

export function commandPayload(command: Command): Uint8Array {
	return writeAmf0([command.name, command.transactionId, ...command.args]);
}

/** What `onStatus`, `_result` and `_error` tell (RTMP 1.0 §7.2.2): the information object. */
export interface StatusInfo {
	readonly level: string;
	readonly code: string;
	readonly description: string;
	/** The whole object, for what only some servers send (`ex.redirect`). */
	readonly fields: Amf0Object;
}

/** The first argument after the command object that is an object with a code; all fields empty when there is none. */
export function statusInfo(command: Command): StatusInfo {
	const objects = command.args.map(asObject).filter((object) => object !== undefined);
	const fields = objects.find((object) => asString(object.code) !== undefined) ?? objects.at(-1) ?? {};
	return {
		level: asString(fields.level) ?? "",
		code: asString(fields.code) ?? "",
		description: asString(fields.description) ?? "",
		fields,
	};
}

export type StatusLevel = "status" | "error";

export function onStatus(level: StatusLevel, code: string, description: string): Command {
	return { name: "onStatus", transactionId: 0, args: [null, { level, code, description }] };
}

export function result(transactionId: number, ...args: readonly Amf0Value[]): Command {
	return { name: "_result", transactionId, args };
}

export function callFailed(transactionId: number, code: string, description: string): Command {
	return { name: "_error", transactionId, args: [null, { level: "error", code, description }] };
}

function typeName(value: Amf0Value): string {
	return value === null ? "null" : typeof value;
}
