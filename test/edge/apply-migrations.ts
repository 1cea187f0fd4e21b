import { applyD1Migrations, type D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { Env } from "../../worker/env.ts";

const { INDEX, TEST_MIGRATIONS } = env as unknown as Env & { readonly TEST_MIGRATIONS: D1Migration[] };

await applyD1Migrations(INDEX, TEST_MIGRATIONS);
