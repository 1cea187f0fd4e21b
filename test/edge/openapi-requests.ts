/** Requests made from an OpenAPI 3.1 document: some as it asks for them, most of them wrong in one way or another. The same for the same seed. */

export interface JsonSchema {
	readonly $ref?: string;
	readonly type?: string | readonly string[];
	readonly enum?: readonly unknown[];
	readonly const?: unknown;
	readonly properties?: Readonly<Record<string, JsonSchema>>;
	readonly required?: readonly string[];
	readonly items?: JsonSchema;
	readonly anyOf?: readonly JsonSchema[];
	readonly oneOf?: readonly JsonSchema[];
	readonly allOf?: readonly JsonSchema[];
	readonly minimum?: number;
	readonly maximum?: number;
	readonly maxLength?: number;
	readonly maxItems?: number;
	readonly format?: string;
	readonly example?: unknown;
}

interface Parameter {
	readonly in: "path" | "query" | "header" | "cookie";
	readonly name: string;
	readonly required?: boolean;
	readonly schema?: JsonSchema;
}

interface Operation {
	readonly parameters?: readonly Parameter[];
	readonly requestBody?: { readonly content?: Readonly<Record<string, { readonly schema?: JsonSchema }>> };
	readonly responses?: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
	readonly security?: readonly unknown[];
}

export interface OpenApi {
	readonly openapi: string;
	readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
	readonly components?: { readonly schemas?: Readonly<Record<string, JsonSchema>> };
}

export interface ApiOperation {
	readonly method: string;
	readonly path: string;
	readonly operation: Operation;
}

export interface MadeRequest {
	readonly method: string;
	readonly path: string;
	readonly headers: Readonly<Record<string, string>>;
	readonly body?: string;
}

export function operationsOf(document: OpenApi): ApiOperation[] {
	return Object.entries(document.paths).flatMap(([path, item]) =>
		Object.entries(item).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
	);
}

/** Numbers in [0, 1) that a seed decides (mulberry32). */
export function seeded(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
	};
}

const ODD_TEXTS = [
	"",
	" ",
	"\u0000",
	"‮\u{1f600}é",
	"'; DROP TABLE broadcasts; --",
	'" OR a* NEAR(b',
	"../../..",
	"%00%ff",
	"<script>alert(1)</script>",
	"__proto__",
	"x".repeat(5_000),
];
const ODD_VALUES: readonly unknown[] = [
	null,
	true,
	-1,
	0,
	1.5,
	1e308,
	Number.MAX_SAFE_INTEGER,
	[],
	{},
	[[[[[[]]]]]],
	{ __proto__: { admin: true }, constructor: 1 },
	...ODD_TEXTS,
];

/** How often what is made is wrong on purpose. */
const WRONG_SHARE = 0.3;

export class RequestMaker {
	readonly #document: OpenApi;
	readonly #random: () => number;
	/** What path parameters may stand for, by their name: things that exist. */
	readonly #known: Readonly<Record<string, readonly string[]>>;

	constructor(document: OpenApi, random: () => number, known: Readonly<Record<string, readonly string[]>>) {
		this.#document = document;
		this.#random = random;
		this.#known = known;
	}

	make({ method, path, operation }: ApiOperation): MadeRequest {
		const parameters = operation.parameters ?? [];
		const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => this.#pathValue(name));
		const query = new URLSearchParams();
		const headers: Record<string, string> = {};
		for (const parameter of parameters) {
			if (parameter.required !== true && this.#chance(0.6)) {
				continue;
			}
			const value = this.#chance(WRONG_SHARE) ? this.#pick(ODD_TEXTS) : String(this.#value(parameter.schema ?? {}, 0));
			if (parameter.in === "query") {
				query.append(parameter.name, value);
			} else if (parameter.in === "header" && /^[\x20-\x7e]*$/.test(value)) {
				headers[parameter.name] = value;
			}
		}
		if (this.#chance(0.1)) {
			query.append(this.#pick(ODD_TEXTS) || "unknown", this.#pick(ODD_TEXTS));
		}
		const search = query.size === 0 ? "" : `?${query}`;
		const schema = operation.requestBody?.content?.["application/json"]?.schema;
		if (schema === undefined) {
			return { method, path: filled + search, headers };
		}
		return {
			method,
			path: filled + search,
			headers: { ...headers, "Content-Type": this.#chance(0.05) ? "text/plain" : "application/json" },
			body: this.#body(schema),
		};
	}

	#body(schema: JsonSchema): string {
		if (this.#chance(0.05)) {
			return this.#pick(["", "{", "[1,", '{"a":1}}', "null", "\u0000"]);
		}
		return JSON.stringify(this.#chance(0.05) ? this.#pick(ODD_VALUES) : this.#value(schema, 0)) ?? "";
	}

	#pathValue(name: string): string {
		const known = this.#known[name] ?? [];
		const value =
			known.length > 0 && !this.#chance(0.2)
				? this.#pick(known)
				: this.#pick(["0000000000000000", "nothing", ...ODD_TEXTS]);
		// An empty one would be another path.
		return encodeURIComponent(value.slice(0, 200) || "empty");
	}

	#value(schema: JsonSchema, depth: number): unknown {
		if (depth > 6) {
			return null;
		}
		if (schema.$ref !== undefined) {
			const name = schema.$ref.replace("#/components/schemas/", "");
			return this.#value(this.#document.components?.schemas?.[name] ?? {}, depth + 1);
		}
		if (this.#chance(WRONG_SHARE / (depth + 2))) {
			return this.#pick(ODD_VALUES);
		}
		const options = schema.anyOf ?? schema.oneOf;
		if (options !== undefined) {
			return this.#value(this.#pick(options), depth + 1);
		}
		if (schema.allOf !== undefined) {
			return Object.assign({}, ...schema.allOf.map((part) => this.#value(part, depth + 1)));
		}
		if (schema.const !== undefined) {
			return schema.const;
		}
		if (schema.enum !== undefined) {
			return this.#pick(schema.enum);
		}
		if (schema.example !== undefined && this.#chance(0.5)) {
			return schema.example;
		}
		return this.#ofType(schema, depth);
	}

	#ofType(schema: JsonSchema, depth: number): unknown {
		const type = typeof schema.type === "string" ? schema.type : this.#pick(schema.type ?? ["string"]);
		switch (type) {
			case "object": {
				const entries = Object.entries(schema.properties ?? {}).filter(
					([name]) => schema.required?.includes(name) || this.#chance(0.4),
				);
				const extra = this.#chance(0.05) ? { [this.#pick(ODD_TEXTS)]: 1 } : {};
				return { ...Object.fromEntries(entries.map(([name, each]) => [name, this.#value(each, depth + 1)])), ...extra };
			}
			case "array": {
				const length = this.#chance(0.05) ? (schema.maxItems ?? 20) + 1 : Math.floor(this.#random() * 3);
				return Array.from({ length }, () => this.#value(schema.items ?? {}, depth + 1));
			}
			case "integer":
			case "number": {
				const { minimum = -10, maximum = minimum + 100 } = schema;
				const value = this.#pick([minimum, maximum, minimum + this.#random() * (maximum - minimum)]);
				return type === "integer" ? Math.round(value) : value;
			}
			case "boolean":
				return this.#chance(0.5);
			case "null":
				return null;
			default:
				return this.#text(schema);
		}
	}

	#text(schema: JsonSchema): string {
		switch (schema.format) {
			case "date-time":
				return this.#pick([new Date(Date.now() + 3_600_000).toISOString(), "2020-01-01T00:00:00Z", "tomorrow"]);
			case "uri":
				return this.#pick(["https://example.com/a", "http://127.0.0.1:9/", "javascript:alert(1)", "x"]);
			default:
				return this.#pick([
					"a",
					"Some words",
					"1",
					"rtmp://127.0.0.1:9/app",
					"x".repeat(Math.min(schema.maxLength ?? 10, 10_000)),
				]);
		}
	}

	#chance(share: number): boolean {
		return this.#random() < share;
	}

	#pick<T>(values: readonly T[]): T {
		const value = values[Math.floor(this.#random() * values.length)];
		if (value === undefined && values.length === 0) {
			throw new Error("test: expected something to choose from, got nothing");
		}
		return value as T;
	}
}
