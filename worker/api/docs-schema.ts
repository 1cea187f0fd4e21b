import { html } from "hono/html";

/** A part of the OpenAPI document's JSON schemas, as far as the page shows it. */
export interface ShownSchema {
	readonly $ref?: string;
	readonly type?: string | readonly string[];
	readonly enum?: readonly unknown[];
	readonly const?: unknown;
	readonly format?: string;
	readonly description?: string;
	readonly default?: unknown;
	readonly example?: unknown;
	readonly minimum?: number;
	readonly maximum?: number;
	readonly minLength?: number;
	readonly maxLength?: number;
	readonly maxItems?: number;
	readonly items?: ShownSchema;
	readonly properties?: Readonly<Record<string, ShownSchema>>;
	readonly required?: readonly string[];
	readonly anyOf?: readonly ShownSchema[];
	readonly oneOf?: readonly ShownSchema[];
	readonly allOf?: readonly ShownSchema[];
}

type Html = ReturnType<typeof html>;

const REFERENCE = "#/components/schemas/";

/** What a value may be, in a few words; named shapes are links to their entry. */
export function typeInWords(schema: ShownSchema): Html {
	if (schema.$ref !== undefined) {
		const name = schema.$ref.replace(REFERENCE, "");
		return html`<a href="#schema-${name}">${name}</a>`;
	}
	if (schema.const !== undefined) {
		return html`<code>${JSON.stringify(schema.const)}</code>`;
	}
	if (schema.enum !== undefined) {
		return html`${schema.enum.map((value, index) => html`${index === 0 ? "" : " | "}<code>${String(value)}</code>`)}`;
	}
	const options = schema.anyOf ?? schema.oneOf ?? schema.allOf;
	if (options !== undefined) {
		const joint = schema.allOf === undefined ? " or " : " and ";
		return html`${options.map((option, index) => html`${index === 0 ? "" : joint}${typeInWords(option)}`)}`;
	}
	if (schema.items !== undefined) {
		return html`list of ${typeInWords(schema.items)}`;
	}
	const types = typeof schema.type === "string" ? [schema.type] : (schema.type ?? ["any"]);
	return html`${types.join(" or ")}${limitsInWords(schema)}`;
}

function limitsInWords({ format, minimum, maximum, minLength, maxLength }: ShownSchema): string {
	const range = minimum === undefined && maximum === undefined ? [] : [`${minimum ?? "…"} to ${maximum ?? "…"}`];
	const length =
		minLength === undefined && maxLength === undefined ? [] : [`${minLength ?? 0} to ${maxLength ?? "…"} characters`];
	const said = [...(format === undefined ? [] : [format]), ...range, ...length];
	return said.length === 0 ? "" : `, ${said.join(", ")}`;
}

/** A shape's fields as a table; what a shape without fields is, in words. */
export function shape(schema: ShownSchema): Html {
	const parts = schema.allOf ?? [schema];
	const properties = parts.flatMap((part) =>
		Object.entries(part.properties ?? {}).map(([name, field]) => ({
			name,
			field,
			isRequired: part.required?.includes(name) ?? false,
		})),
	);
	if (properties.length === 0) {
		return html`<p>${typeInWords(schema)}</p>`;
	}
	const rows = properties.map(
		({
			name,
			field,
			isRequired,
		}) => html`<tr><td><code>${name}</code>${isRequired ? "" : html` <small>optional</small>`}</td>
<td>${typeInWords(field)}</td><td>${field.description ?? ""}${defaultInWords(field)}</td></tr>${nested(field, name)}`,
	);
	const others = parts
		.filter((part) => part.$ref !== undefined)
		.map((part) => html`<p>All of ${typeInWords(part)}, and:</p>`);
	return html`${others}<table><thead><tr><th>field</th><th>is</th><th></th></tr></thead><tbody>${rows}</tbody></table>`;
}

/** The fields of a field that is a shape without a name of its own. */
function nested(field: ShownSchema, name: string): Html[] {
	const inner = field.properties ?? field.items?.properties ?? {};
	return Object.entries(inner).map(
		([each, schema]) => html`<tr><td><code>${name}.${each}</code></td><td>${typeInWords(schema)}</td>
<td>${schema.description ?? ""}</td></tr>`,
	);
}

function defaultInWords(schema: ShownSchema): Html | string {
	return schema.default === undefined
		? ""
		: html` <small>Default: <code>${JSON.stringify(schema.default)}</code></small>`;
}
