/** RGB to Y'CbCr, BT.709 limited range (ITU-R BT.709-6 §3), in 16.16 fixed point. */

const KR = 0.2126;
const KB = 0.0722;
const KG = 1 - KR - KB;
const LUMA_SCALE = 219 / 255;
const CHROMA_SCALE = 224 / 255;
const ONE = 0x1_0000;

const Y_R = Math.round(KR * LUMA_SCALE * ONE);
const Y_G = Math.round(KG * LUMA_SCALE * ONE);
const Y_B = Math.round(KB * LUMA_SCALE * ONE);
const U_R = Math.round((-KR / (2 * (1 - KB))) * CHROMA_SCALE * ONE);
const U_B = Math.round(0.5 * CHROMA_SCALE * ONE);
const U_G = -U_R - U_B;
const V_R = Math.round(0.5 * CHROMA_SCALE * ONE);
const V_B = Math.round((-KB / (2 * (1 - KR))) * CHROMA_SCALE * ONE);
const V_G = -V_R - V_B;
const Y_BASE = 16 * ONE + ONE / 2;
const C_BASE = 128 * ONE + ONE / 2;

export const BLACK_LUMA = 16;
export const NEUTRAL_CHROMA = 128;

export function lumaOf(red: number, green: number, blue: number): number {
	return (Y_R * red + Y_G * green + Y_B * blue + Y_BASE) >> 16;
}

export function chromaUOf(red: number, green: number, blue: number): number {
	return (U_R * red + U_G * green + U_B * blue + C_BASE) >> 16;
}

export function chromaVOf(red: number, green: number, blue: number): number {
	return (V_R * red + V_G * green + V_B * blue + C_BASE) >> 16;
}
