import { buildPagesIfStale } from "./local-system/page-build.ts";

/** `npm run build`: the pages, into dist/assets. */
await buildPagesIfStale();
