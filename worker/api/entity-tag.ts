import { ApiProblem } from "./api-problem.ts";

const ENTITY_TAG = /^(?:W\/)?"(\d{1,15})"$/;
/** More are no use to anyone. */
const MAX_TAGS = 20;

/** The entity tag (RFC 9110 §8.8.3) of a broadcast's version. */
export function entityTag(version: number): string {
	return `"${version}"`;
}

/**
 * The versions an `If-Match` header allows; `undefined` where there is none, or `*`, which every broadcast that exists matches.
 * @throws {ApiProblem} when it holds anything but tags; such as this API never gave out match nothing
 */
export function readIfMatch(header: string | undefined): number[] | undefined {
	return header === undefined || header.trim() === "*" ? undefined : versionsIn("If-Match", header);
}

/** Whether an `If-None-Match` header says that the client has this version. @throws {ApiProblem} as {@link readIfMatch} */
export function isKnown(header: string | undefined, version: number): boolean {
	if (header === undefined) {
		return false;
	}
	return header.trim() === "*" || versionsIn("If-None-Match", header).includes(version);
}

function versionsIn(name: string, header: string): number[] {
	const tags = header.split(",").map((tag) => tag.trim());
	if (tags.length > MAX_TAGS || !tags.every((tag) => /^(?:W\/)?"[\x21\x23-\x7e]*"$/.test(tag))) {
		throw new ApiProblem(
			"invalid-request",
			`${name}: expected up to ${MAX_TAGS} quoted entity tags or *, got another form`,
		);
	}
	return tags.flatMap((tag) => {
		const [, version] = ENTITY_TAG.exec(tag) ?? [];
		return version === undefined ? [] : [Number(version)];
	});
}
