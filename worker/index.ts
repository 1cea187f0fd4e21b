import { createApp } from "./api/app.ts";

export { Audience } from "./audience/audience.ts";
export { Broadcast } from "./broadcast/broadcast.ts";
export { Egress } from "./egress/egress.ts";
export { CompositorPool } from "./pool/compositor-pool.ts";
export { Router } from "./router/router.ts";

export default createApp();
