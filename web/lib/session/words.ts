import { CLOSE } from "../../../worker/protocol/close-codes.ts";

/** Why a session is over, by the code its control socket was closed with. The edge's own words are for programs. */
export function endWords(code: number, reason: string): string {
	switch (code) {
		case CLOSE.takenOver.code:
			return "You are in the show from another window or another device, which is in use now.";
		case CLOSE.ended.code:
			return "The show is over.";
		case CLOSE.unauthorized.code:
			return "You were removed from the show, or your link was replaced.";
		case CLOSE.forbidden.code:
			return "Your link does not let you into the show as somebody to be seen and heard.";
		default:
			return reason === ""
				? "The server has closed the connection."
				: `The server has closed the connection: ${withoutPrefix(reason)}.`;
	}
}

/** The same before one is in. */
export function refusalWords(code: number, reason: string): string {
	return code === CLOSE.unauthorized.code
		? "This link does not work any more. Ask whoever sent it for a new one."
		: endWords(code, reason);
}

/** What the edge says to a command it does not carry out, without the name of the part that says it. */
export function commandWords(title: string, detail: string): string {
	return detail === "" ? `${title}.` : `${title}: ${withoutPrefix(detail)}.`;
}

function withoutPrefix(text: string): string {
	return text.replace(/^[\w -]{1,24}: /, "").replace(/\.$/, "");
}
