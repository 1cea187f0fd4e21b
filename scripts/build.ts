import { buildClient } from "./client-build.ts";
import { buildPagesIfStale } from "./local-system/page-build.ts";

/** `npm run build`: the pages into dist/assets, the typed client and what a page joins with into dist/client and dist/join. */
await buildPagesIfStale();
await buildClient();
