import { expect, test } from "vitest";
import { compositorFor } from "../../../../compositor-page/compositor/choose-compositor.ts";

test.each([
	[undefined, "planar"],
	["ANGLE (Google, Vulkan 1.3.0 (SwiftShader Device (Subzero) (0x0000C0DE)), SwiftShader driver)", "planar"],
	["ANGLE (Mesa, llvmpipe (LLVM 15.0.6, 256 bits), OpenGL 4.5)", "planar"],
	["ANGLE (Microsoft, Microsoft Basic Render Driver Direct3D11 vs_5_0 ps_5_0)", "planar"],
	["ANGLE (NVIDIA, NVIDIA L4 (0x000027B8), Vulkan 1.3.277)", "canvas"],
	["ANGLE (Apple, ANGLE Metal Renderer: Apple M2, Unspecified Version)", "canvas"],
] as const)("with WebGL on %s takes %s", (renderer, kind) => {
	expect(compositorFor(undefined, renderer).kind).toBe(kind);
	expect(compositorFor("planar", renderer).kind).toBe("planar");
	expect(compositorFor("canvas", renderer)).toEqual({ kind: "canvas", reason: "asked for" });
});
