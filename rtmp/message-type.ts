/** Message type ids (RTMP 1.0 §5.4, §6.2, §7.1). 8, 9 and 18 are also the FLV tag types. */
export const MESSAGE_TYPE = {
	setChunkSize: 1,
	abort: 2,
	acknowledgement: 3,
	userControl: 4,
	windowAcknowledgementSize: 5,
	setPeerBandwidth: 6,
	audio: 8,
	video: 9,
	dataAmf3: 15,
	commandAmf3: 17,
	data: 18,
	command: 20,
	aggregate: 22,
} as const;
