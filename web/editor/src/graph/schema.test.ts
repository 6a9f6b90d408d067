import { expect, test } from "vitest";
import type { InputPort, Json, JsonSchema } from "./catalog";
import { checkValue, defaultOf, hasWidget, valueIn, widgetOf } from "./schema";

function port(schema: JsonSchema | null, more: Partial<InputPort> = {}): InputPort {
  const type = { is: "anything" } as const;
  return { name: "x", type, label: "x", required: false, dial: true, lazy: false, description: "", schema, ...more };
}

const nullable = (schema: JsonSchema): JsonSchema => ({ anyOf: [schema, { type: "null" }], default: null });

test.each<[string, InputPort, unknown]>([
  ["steps", port({ type: "integer", minimum: 1, maximum: 1000 }), number({ min: 1, max: 1000, step: 1, slider: true })],
  [
    "size",
    port({ type: "integer", minimum: 8, maximum: 16384, multipleOf: 8 }),
    number({ min: 8, max: 16384, step: 8 }),
  ],
  [
    "denoise",
    port({ type: "number", exclusiveMinimum: 0, maximum: 1 }),
    number({ integer: false, min: 0.01, max: 1, step: 0.01, slider: true }),
  ],
  [
    "guidance",
    port({ type: "number", minimum: 0, maximum: 100 }),
    number({ integer: false, min: 0, max: 100, step: 0.1, slider: true }),
  ],
  ["free", port({ type: "number" }), number({ integer: false, step: 0.1 })],
  ["either", port({ anyOf: [{ type: "integer" }, { type: "number" }] }), number({ integer: false, step: 0.1 })],
  ["maybe", port(nullable({ type: "integer" })), number({ nullable: true })],
  [
    "seed",
    port({ type: "integer", format: "seed", minimum: 0, exclusiveMaximum: 2 ** 63 }),
    { is: "seed", min: 0, max: Number.MAX_SAFE_INTEGER },
  ],
  ["choice", port({ type: "string", enum: ["a", "b"] }), { is: "choice", values: ["a", "b"], nullable: false }],
  ["one", port({ const: "a" }), { is: "choice", values: ["a"], nullable: false }],
  ["toggle", port({ type: "boolean" }), { is: "toggle", nullable: false }],
  [
    "text",
    port({ type: "string", format: "multiline", maxLength: 9 }),
    { is: "text", multiline: true, maxLength: 9, nullable: false },
  ],
  ["picture", port({ type: "string" }, { resource: "picture" }), { is: "picture", nullable: false }],
  ["model", port(nullable({ type: "string" }), { resource: "model" }), { is: "model", nullable: true }],
  [
    "file",
    port({ type: "string" }, { resource: "new file" }),
    { is: "resource", resource: "new file", nullable: false },
  ],
  [
    "list",
    port({ type: "array", items: { type: "string" } }),
    { is: "list", item: { is: "text", multiline: false, maxLength: null, nullable: false }, nullable: false },
  ],
  ["object", port({ type: "object" }), { is: "json" }],
  [
    "reference",
    port({ $ref: "#/$defs/C", $defs: { C: { enum: [1, 2] } } }),
    { is: "choice", values: [1, 2], nullable: false },
  ],
  ["mixed", port({ anyOf: [{ type: "string" }, { type: "integer" }] }), { is: "json" }],
  ["anything", port({}), { is: "json" }],
  ["link", port(null), { is: "none" }],
])("the widget of %s", (_, input, expected) => {
  expect(widgetOf(input)).toEqual(expected);
});

function number(more: object) {
  return { is: "number", integer: true, min: null, max: null, step: 1, slider: false, nullable: false, ...more };
}

const size: JsonSchema = { type: "integer", minimum: 8, maximum: 64, multipleOf: 8 };
const options: JsonSchema = {
  type: "object",
  properties: { a: { type: "integer" } },
  required: ["a"],
  additionalProperties: false,
};

test.each<[string | null, JsonSchema, Json]>([
  [null, size, 16],
  ["value.integer", size, 16.5],
  ["value.integer", size, "16"],
  ["value.integer", size, true],
  ["value.integer", size, null],
  ["value.min", size, 0],
  ["value.max", size, 72],
  ["value.step", size, 12],
  ["value.above", { type: "number", exclusiveMinimum: 0 }, 0],
  ["value.below", { type: "number", exclusiveMaximum: 1 }, 1],
  [null, { type: "number", multipleOf: 0.1 }, 0.3],
  ["value.step", { type: "number", multipleOf: 0.1 }, 0.35],
  [null, { type: "number" }, 3],
  ["value.number", { type: "number" }, "3"],
  ["value.unsafe", { type: "integer" }, 2 ** 53],
  ["value.toggle", { type: "boolean" }, 0],
  ["value.text", { type: "string" }, 1],
  ["value.long", { type: "string", maxLength: 2 }, "abc"],
  [null, { type: "string", maxLength: 2 }, "🦊🦊"],
  ["value.short", { type: "string", minLength: 1 }, ""],
  ["value.pattern", { type: "string", pattern: "^a" }, "b"],
  [null, { type: "string", pattern: "(?P<x>a)" }, "b"],
  ["value.choice", { enum: ["a", "b"], type: "string" }, "c"],
  [null, nullable(size), null],
  ["value.step", nullable(size), 12],
  ["value.none", { anyOf: [{ type: "integer" }, { type: "boolean" }] }, "a"],
  ["value.nothing", { type: "null" }, 1],
  [null, { type: "array", items: { type: "string" } }, ["a"]],
  ["value.text", { type: "array", items: { type: "string" } }, ["a", 1]],
  [null, { type: "array", items: { type: "string" } }, ["a", { link: "a.b" }]],
  ["value.list", { type: "array" }, "a"],
  ["value.fewItems", { type: "array", minItems: 1 }, []],
  ["value.manyItems", { type: "array", maxItems: 1 }, [1, 2]],
  [null, options, { a: 1 }],
  ["value.missingKey", options, {}],
  ["value.unknownKey", options, { a: 1, b: 2 }],
  ["value.integer", options, { a: "x" }],
  ["value.object", options, []],
  [null, {}, [{ x: null }]],
])("a check says %s of %j for %j", (key, schema, value) => {
  expect(checkValue(port(schema), value)?.key ?? null).toBe(key);
});

test("a link is no value, and a port that takes links only takes none", () => {
  expect(checkValue(port(size), { link: "a.b" })).toBe(null);
  expect(checkValue(port(null), [{ link: "a.b" }])).toBe(null);
  expect(checkValue(port(null), null)).toBe(null);
  expect(checkValue(port(null, { required: true }), null)?.key).toBe("value.linkOnly");
  expect(checkValue(port(null), 1)?.key).toBe("value.linkOnly");
  expect(checkValue(port(size, { required: true }), undefined)?.key).toBe("value.missing");
  expect(checkValue(port(size), undefined)).toBe(null);
});

test("an input holds what is written, also nothing, and else its default", () => {
  const input = port({ ...nullable(size), default: 8 });
  expect(defaultOf(input)).toBe(8);
  expect(valueIn({ type: "T" }, input)).toBe(8);
  expect(valueIn({ type: "T", inputs: { x: null } }, input)).toBe(null);
  expect(valueIn({ type: "T", inputs: { x: 16 } }, input)).toBe(16);
});

test("what flows in has a widget where it is a plain value, or where one is written", () => {
  const flows = (schema: JsonSchema | null, value?: Json) =>
    hasWidget({ type: "T", ...(value === undefined ? {} : { inputs: { x: value } }) }, port(schema, { dial: false }));
  expect(flows({ type: "string" })).toBe(true);
  expect(flows(null)).toBe(false);
  expect(flows({})).toBe(false);
  expect(flows({ type: "array", items: {} })).toBe(false);
  expect(flows({ type: "array", items: {} }, ["a"])).toBe(true);
  expect(flows({ type: "array", items: {} }, [{ link: "a.b" }])).toBe(false);
  expect(flows({}, { link: "a.b" })).toBe(false);
  expect(hasWidget({ type: "T" }, port({}))).toBe(true);
});
