import { CanvasCompositor } from "./canvas-compositor.ts";
import type { Compositor, CompositorKind } from "./compositor.ts";
import { PlanarCompositor } from "./planar/planar-compositor.ts";

export interface CompositorChoice {
	readonly compositor: Compositor;
	/** In words, for the log. */
	readonly reason: string;
}

/** Names of the renderers that draw on the CPU: SwiftShader (Chromium), llvmpipe and softpipe (Mesa), WARP (Windows). */
const SOFTWARE_RENDERERS = /swiftshader|llvmpipe|softpipe|software|basic render/i;

/** Takes the compositor asked for, or else the one that suits the machine: `canvas` where WebGL runs on a GPU, `planar` elsewhere. */
export function chooseCompositor(options: { readonly preferred?: CompositorKind } = {}): CompositorChoice {
	const { kind, reason } = compositorFor(options.preferred, webglRenderer());
	return { compositor: kind === "canvas" ? new CanvasCompositor() : new PlanarCompositor(), reason };
}

/** `renderer` is the name WebGL gives its renderer, `undefined` where there is no WebGL. */
export function compositorFor(
	preferred: CompositorKind | undefined,
	renderer: string | undefined,
): { kind: CompositorKind; reason: string } {
	if (preferred !== undefined) {
		return { kind: preferred, reason: "asked for" };
	}
	if (renderer === undefined) {
		return { kind: "planar", reason: "no WebGL, hence no GPU" };
	}
	if (SOFTWARE_RENDERERS.test(renderer)) {
		return { kind: "planar", reason: `WebGL runs in software: ${renderer}` };
	}
	return { kind: "canvas", reason: `GPU: ${renderer}` };
}

function webglRenderer(): string | undefined {
	const gl = new OffscreenCanvas(1, 1).getContext("webgl2");
	if (gl === null) {
		return undefined;
	}
	const info = gl.getExtension("WEBGL_debug_renderer_info");
	const name: unknown = gl.getParameter(info === null ? gl.RENDERER : info.UNMASKED_RENDERER_WEBGL);
	// Held by nothing else, but a browser allows only some contexts at once.
	gl.getExtension("WEBGL_lose_context")?.loseContext();
	return typeof name === "string" ? name : undefined;
}
