export type Purpose = "start" | "demo" | "faults" | "bench" | "test" | "check";
export const PURPOSES: readonly Purpose[];

export interface Machine {
	readonly hasChromium: boolean;
	hasCommand(name: string): boolean;
	hasPackage(name: string): boolean | undefined;
}

export interface LockFile {
	readonly packages: Readonly<Record<string, { readonly version?: string; readonly optional?: boolean }>>;
}

export function purposeFrom(argv: readonly string[]): Purpose;
export function missingPackages(purpose: Purpose, machine: Machine): string[];
export function modulesAreStale(lock: LockFile, installed: LockFile | undefined): boolean;
export function nodeIsNewEnough(version: string): boolean;
export function aptPrefix(user: {
	readonly hasApt: boolean;
	readonly isRoot: boolean;
	readonly hasPasswordlessSudo: boolean;
}): string[] | undefined;
export function manualInstallAdvice(packages: readonly string[], hasApt: boolean): string;
