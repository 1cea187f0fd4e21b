import { ReconnectingSocket } from "../../../sockets/reconnecting-socket.ts";
import { CONTROL_SILENCE } from "../control/control-connection.ts";
import { canvasBlackPicture } from "../devices/black-picture.ts";
import { preferredVideoCodec } from "../peers/codec-order.ts";
import type { MediaSource } from "../session-types.ts";
import { StreamPublisher } from "../stream-leg/stream-publisher.ts";
import { StreamPlayer } from "../stream-play/stream-player.ts";
import { browserClock } from "./clock.ts";
import { onNetworkChange, onPageGone } from "./page-events.ts";
import type { Platform } from "./platform.ts";

/** The page this runs in. @param devices in place of its own */
export function browserPlatform(devices: MediaSource | undefined): Platform {
	return {
		clock: browserClock,
		// Not there on an address that is not secure, whatever its type says.
		devices: devices ?? (navigator.mediaDevices as MediaDevices | undefined),
		openControl: (url, token, events) => new ReconnectingSocket(url, token, events, CONTROL_SILENCE),
		...(typeof RTCPeerConnection === "undefined"
			? {}
			: {
					newPeerConnection: (configuration) => new RTCPeerConnection({ ...configuration, bundlePolicy: "max-bundle" }),
				}),
		...(typeof VideoEncoder === "undefined" ? {} : { newStreamLeg: (options) => new StreamPublisher(options) }),
		...(typeof VideoDecoder === "undefined" ? {} : { newStreamPlay: (options) => new StreamPlayer(options) }),
		newStream: (tracks) => new MediaStream([...tracks]),
		blackPicture: canvasBlackPicture,
		preferredVideoCodec: () => preferredVideoCodec(navigator.mediaCapabilities),
		onNetworkChange,
		onPageGone,
	};
}
