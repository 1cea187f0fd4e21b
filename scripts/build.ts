import { buildClient } from "./client-build.ts";
import { buildPagesIfStale } from "./local-system/page-build.ts";

/** `npm run build`: the pages into dist/assets, the typed client into dist/client. */
await buildPagesIfStale();
buildClient();
