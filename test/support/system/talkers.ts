/** The two who talk in most end-to-end tests: the host and the first guest. */
export const TALKERS = ["host", "guest"] as const;
export type Talker = (typeof TALKERS)[number];
