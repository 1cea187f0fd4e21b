/** Where the connection to a destination is made from: a Worker cannot reach every address. */
export const DESTINATION_ROUTES = ["edge", "runner"] as const;
export type DestinationRoute = (typeof DESTINATION_ROUTES)[number];
