import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { adobeProofQuery, readAdobeChallenge } from "../../../rtmp/adobe-auth.ts";
import { md5 } from "../../../rtmp/md5.ts";

const base64Md5 = (text: string) => createHash("md5").update(text).digest("base64");

describe("md5", () => {
	it("is what everyone else computes, for any length", () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
				expect(Buffer.from(md5(bytes)).toString("hex")).toBe(createHash("md5").update(bytes).digest("hex"));
			}),
		);
	});
});

describe("adobe authentication", () => {
	it("reads that the server asks who we are", () => {
		expect(readAdobeChallenge("[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] : ")).toEqual({
			kind: "who",
		});
	});

	it("reads that the server asks for proof", () => {
		expect(
			readAdobeChallenge(
				"[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=needauth&user=u&salt=a+b/c=&challenge=Q==&opaque=O9==",
			),
		).toEqual({ kind: "prove", salt: "a+b/c=", challenge: "Q==", opaque: "O9==" });
	});

	it("reads that proof was not good enough", () => {
		expect(readAdobeChallenge("[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=authfailed&opaque=x")).toEqual({
			kind: "failed",
			reason: "authfailed",
		});
	});

	it.each(["", "Application not found.", "[ AccessManager.Reject ] : [ code=403 need auth; authmod=llnw ] :"])(
		"does not read %j as its own",
		(description) => {
			expect(readAdobeChallenge(description)).toBeUndefined();
		},
	);

	it.each([
		["opaque", "challenge=theirs", "opq==", "opq==", "&opaque=opq=="],
		["challenge where there is no opaque", "challenge=theirs", "", "theirs", ""],
	])("proves the password over the %s", (_, __, opaque, over, suffix) => {
		const proof = adobeProofQuery(
			{ user: "u", password: "secret" },
			{ kind: "prove", salt: "salt", challenge: "theirs", opaque },
			"0a1b2c3d",
		);
		const response = base64Md5(`${base64Md5("usaltsecret")}${over}0a1b2c3d`);
		expect(proof).toBe(`authmod=adobe&user=u&challenge=0a1b2c3d&response=${response}${suffix}`);
	});
});
