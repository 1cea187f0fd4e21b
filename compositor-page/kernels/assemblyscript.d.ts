/** What an AssemblyScript file compiles to (scripts/assemblyscript-plugin.ts). */
declare module "*?assemblyscript" {
	const bytes: Uint8Array<ArrayBuffer>;
	export default bytes;
}
