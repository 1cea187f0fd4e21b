import { MalformedError } from "../media/bytes/byte-reader.ts";
import { type Amf0Object, asObject, asString } from "./amf0.ts";
import type { Command } from "./command.ts";
import type { RtmpUrl } from "./url.ts";

const FLASH_VERSION = "FMLE/3.0 (compatible; Tandem)";

/** What Adobe's servers of that time said they were; some publishers look for the form. */
const SERVER_VERSION = "FMS/3,0,1,123";
const CAPABILITIES = 31;

/** Enhanced RTMP's codecs that our FLV reader takes, told only to publishers that list theirs (Enhanced RTMP v1, "connect"). */
const FOUR_CC_LIST = ["av01", "vp09", "vp08", "Opus"];

/** Who a publisher says it is. */
export interface PublisherIdentity {
	readonly app: string;
	readonly tcUrl?: string;
	readonly flashVer?: string;
}

/** The `connect` that publishers send (RTMP 1.0 §7.2.1.1). */
export function connectCommand(transactionId: number, url: RtmpUrl): Command {
	const object = { app: url.app, type: "nonprivate", flashVer: FLASH_VERSION, tcUrl: url.tcUrl };
	return { name: "connect", transactionId, args: [object] };
}

/** @throws {MalformedError} when it is not `connect`, or names no application */
export function readConnect(command: Command): PublisherIdentity {
	if (command.name !== "connect") {
		throw new MalformedError("rtmp: expected connect first, got another command");
	}
	const object = connectObject(command);
	const app = asString(object.app);
	if (app === undefined) {
		throw new MalformedError("rtmp connect: expected an app, got none");
	}
	const tcUrl = asString(object.tcUrl);
	const flashVer = asString(object.flashVer);
	return { app, ...(tcUrl === undefined ? {} : { tcUrl }), ...(flashVer === undefined ? {} : { flashVer }) };
}

/** The answer that welcomes a `connect`. */
export function connectResult(command: Command): Command {
	const information: Amf0Object = {
		level: "status",
		code: "NetConnection.Connect.Success",
		description: "Connection succeeded.",
		objectEncoding: 0,
	};
	const listsCodecs = connectObject(command).fourCcList !== undefined;
	return {
		name: "_result",
		transactionId: command.transactionId,
		args: [
			{ fmsVer: SERVER_VERSION, capabilities: CAPABILITIES },
			listsCodecs ? { ...information, fourCcList: FOUR_CC_LIST } : information,
		],
	};
}

function connectObject(command: Command): Amf0Object {
	return asObject(command.args[0]) ?? {};
}
