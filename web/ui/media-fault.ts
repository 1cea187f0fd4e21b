export type DeviceKind = "camera" | "microphone";

/** Why a device does not work, and what to do about it. */
export interface MediaFault {
	readonly kind: "denied" | "missing" | "busy" | "gone" | "insecure" | "unknown";
	readonly title: string;
	readonly advice: string;
}

/** @param error what `getUserMedia` threw; `undefined` where the browser has none */
export function mediaFault(error: unknown, devices: readonly DeviceKind[]): MediaFault {
	const what = devices.join(" and ");
	if (error === undefined) {
		return {
			kind: "insecure",
			title: `This page cannot use your ${what}`,
			advice: "Browsers allow it on https addresses only. Ask for a link that begins with https://.",
		};
	}
	switch (nameOf(error)) {
		case "NotAllowedError":
		case "SecurityError":
			return {
				kind: "denied",
				title: `Your browser does not let this page use your ${what}`,
				advice:
					"Click the camera or lock sign beside the address, choose Allow, and try again. On a phone, also look in the system's settings whether the browser itself may.",
			};
		case "NotFoundError":
			return {
				kind: "missing",
				title: `No ${devices.join(" or ")} found`,
				advice: "Connect one and try again, or go in without.",
			};
		case "NotReadableError":
		case "AbortError":
			return {
				kind: "busy",
				title: `Your ${what} ${devices.length > 1 ? "are" : "is"} in use`,
				advice: "Close other programs and tabs that may have it, such as video calls, and try again.",
			};
		case "OverconstrainedError":
			return {
				kind: "gone",
				title: `The ${what} you chose ${devices.length > 1 ? "are" : "is"} not there any more`,
				advice: "Choose another one.",
			};
		default:
			return {
				kind: "unknown",
				title: `Your ${what} did not start`,
				advice: `Try again, or choose another one. The browser says: ${error instanceof Error ? error.message : String(error)}`,
			};
	}
}

function nameOf(error: unknown): string {
	return typeof error === "object" && error !== null && "name" in error ? String(error.name) : "";
}
