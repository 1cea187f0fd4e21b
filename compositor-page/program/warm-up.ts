import type { Scene } from "../../worker/protocol/control-messages.ts";
import type { Compositor } from "../compositor/compositor.ts";
import { GraphicsCache } from "../graphics/graphics-cache.ts";
import { composeScene } from "./scene-composition.ts";

/** The first picture takes a hundred milliseconds and more, the second still a frame's time, those that follow a few. */
const PICTURES = 2;

/** Makes pictures that nobody sees, so that the program's clock does not start with what is slow only once. */
export async function warmUp(compositor: Compositor, scene: Scene): Promise<void> {
	const graphics = new GraphicsCache();
	// Cards for everybody: what is painted is most of what is slow.
	const people = scene.people.map(({ id }) => ({ id, frame: undefined }));
	for (let made = 0; made < PICTURES; made++) {
		const frame = await compositor.compose(composeScene(scene, people, graphics), 0, 0);
		frame.close();
	}
	graphics.close();
}
