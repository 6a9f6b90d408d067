import { act, useState } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { InputPort, Json, JsonSchema } from "../graph/catalog";
import { api } from "../state/api";
import { useCatalog } from "../state/catalog";
import { Field } from "./Field";
import type { SeedMode } from "./field";
import { clear, type Drawn, findings, render } from "./render";

function portOf(schema: JsonSchema, more: Partial<InputPort> = {}): InputPort {
  const named = { name: "value", type: { is: "scalar", name: "int" }, label: "int" } as const;
  return { ...named, required: false, dial: true, lazy: false, description: "", schema, ...more };
}

interface ShownProps {
  port: InputPort;
  start: Json | undefined;
  changed: (...call: (Json | undefined)[]) => void;
  look: "row" | "block";
  mode?: (mode: SeedMode) => void;
}

function Shown({ port, start, changed, look, mode }: ShownProps) {
  const [value, setValue] = useState(start);
  const [seedMode, setSeedMode] = useState<SeedMode>("random");
  const seed = {
    mode: seedMode,
    last: 77,
    setMode: (next: SeedMode) => {
      setSeedMode(next);
      mode?.(next);
    },
  };
  return (
    <>
      {look === "block" && <label htmlFor="it">Value</label>}
      <Field
        look={look}
        id="it"
        name="Value"
        port={port}
        value={value}
        seed={mode === undefined ? undefined : seed}
        change={(next, merge) => {
          setValue(next);
          changed(...(merge === undefined ? [next] : [next, merge]));
        }}
      />
    </>
  );
}

const changed = vi.fn();

function draw(port: InputPort, start: Json | undefined, look: "row" | "block" = "row"): Promise<Drawn> {
  return render(<Shown port={port} start={start} changed={changed} look={look} />);
}

const STEPS = portOf({ type: "integer", minimum: 1, maximum: 100, default: 20 });

beforeEach(() => {
  changed.mockClear();
  useCatalog.setState({ models: [], reloadModels: async () => {} });
});

afterEach(clear);

test("a typed number counts once it is confirmed", async () => {
  const { find, type, press } = await draw(STEPS, 20);
  await type(find("#it"), "30");
  expect(changed).not.toHaveBeenCalled();
  await press(find("#it"), "Enter");
  expect(changed).toHaveBeenCalledExactlyOnceWith(30);
});

test("a sum is worked out when the field is left", async () => {
  const { find, type, leave } = await draw(STEPS, 20);
  await type(find("#it"), "4 * 5 + 2");
  await leave(find("#it"));
  expect(changed).toHaveBeenCalledExactlyOnceWith(22);
});

test.each([
  ["5000", "This is at most 100."],
  ["1.5", "This takes a whole number."],
  ["many", '"many" is not a number.'],
])("%s is refused with a sentence and not changed into something else", async (text, sentence) => {
  const { find, type, press, leave } = await draw(STEPS, 20, "block");
  await type(find("#it"), text);
  await press(find("#it"), "Enter");
  expect(find("[role=alert]").textContent).toBe(sentence);
  expect(find<HTMLInputElement>("#it").value).toBe(text);
  await leave(find("#it"));
  expect(find<HTMLInputElement>("#it").value).toBe("20");
  expect(changed).not.toHaveBeenCalled();
});

test("escape gives up what was typed", async () => {
  const { find, type, press } = await draw(STEPS, 20);
  await type(find("#it"), "30");
  await press(find("#it"), "Escape");
  expect(find<HTMLInputElement>("#it").value).toBe("20");
});

test("arrow keys step, stay in the range, and are undone together", async () => {
  const { find, press } = await draw(STEPS, 95);
  await press(find("#it"), "ArrowUp");
  expect(changed).toHaveBeenLastCalledWith(96, "step");
  await press(find("#it"), "ArrowUp", { shiftKey: true });
  expect(changed).toHaveBeenLastCalledWith(100, "step");
});

test("an emptied number goes back to the default", async () => {
  const { find, type, leave } = await draw(STEPS, 95);
  await type(find("#it"), "");
  await leave(find("#it"));
  expect(changed).toHaveBeenCalledExactlyOnceWith(undefined);
});

test("dragging is one change, at its end", async () => {
  const { find } = await draw(STEPS, 20);
  const box = find<HTMLDivElement>(".number-box");
  Object.assign(box, { setPointerCapture() {}, getBoundingClientRect: () => ({ width: 99 }) });
  const send = (kind: string, clientX: number) =>
    act(async () => box.dispatchEvent(new PointerEvent(kind, { clientX, button: 0, bubbles: true, cancelable: true })));
  await send("pointerdown", 0);
  await send("pointermove", 5);
  await send("pointermove", 10);
  expect(changed).not.toHaveBeenCalled();
  expect(find<HTMLInputElement>("#it").value).toBe("30");
  await send("pointerup", 10);
  expect(changed).toHaveBeenCalledExactlyOnceWith(30);
});

test("a text counts with each letter", async () => {
  const { find, type } = await draw(portOf({ type: "string", format: "multiline", maxLength: 5 }), "");
  await type(find("textarea"), "fox");
  expect(changed).toHaveBeenLastCalledWith("fox", "text");
});

test("a text that is too long stays in the field with the reason, and is given up with it", async () => {
  const port = portOf({ type: "string", maxLength: 5 });
  const { find, type, leave } = await draw(port, "old", "block");
  await type(find("#it"), "a long text");
  expect(find("[role=alert]").textContent).toBe("This has at most 5 characters.");
  await leave(find("#it"));
  expect(find<HTMLInputElement>("#it").value).toBe("old");
  expect(changed).not.toHaveBeenCalled();
});

test("a few values are chosen from the browser's own list", async () => {
  const { find } = await draw(portOf({ type: "string", enum: ["a", "b"] }), "a");
  const select = find<HTMLSelectElement>("select");
  await act(async () => {
    select.value = "1";
    select.dispatchEvent(new Event("change", { bubbles: true }));
  });
  expect(changed).toHaveBeenCalledExactlyOnceWith("b");
});

test("many values are searched, and chosen with Enter", async () => {
  const values = ["DDIM", "Euler", ...Array.from({ length: 12 }, (_, index) => `Other${index}`)];
  const { find, click, type, press } = await draw(portOf({ type: "string", enum: values }), "DDIM");
  await click(find("#it"));
  expect(document.activeElement).toBe(find("[role=combobox]"));
  await type(find("[role=combobox]"), "eul");
  expect(find("[role=option]").textContent).toBe("Euler");
  await press(find("[role=combobox]"), "Enter");
  expect(changed).toHaveBeenCalledExactlyOnceWith("Euler");
  expect(document.activeElement).toBe(find("#it"));
});

test("models stand under their kinds, the broken ones last with the reason; another name may be typed", async () => {
  useCatalog.setState({
    models: [
      { name: "broken", kind: null, detail: { problem: { what: "It is cut off.", fix: "Load it again." } } },
      { name: "fox", kind: "sd1", detail: { source: "folder", bytes: 4096 } },
    ],
  });
  const { find, click, type, press } = await draw(
    portOf({ type: "string" }, { resource: "model", required: true }),
    "fox",
  );
  await click(find("#it"));
  const options = [...document.querySelectorAll("[role=option]")].map((option) => option.textContent);
  expect(options).toEqual(["foxfolder · 4 KiB", "broken It is cut off. Load it again."]);
  expect(find(".picker-heading").textContent).toBe("sd1");
  await type(find("[role=combobox]"), "models/other");
  await press(find("[role=combobox]"), "Enter");
  expect(changed).toHaveBeenCalledExactlyOnceWith("models/other");
});

test("files are looked for when their list opens, and any other name may be typed", async () => {
  vi.spyOn(api, "files").mockResolvedValue([
    { name: "old.pt", kind: null, detail: { problem: { what: "It is a pickle.", fix: "" } } },
    { name: "style.safetensors", kind: null, detail: { source: "file", bytes: 4096 } },
  ]);
  const { find, click, type, press } = await draw(
    portOf({ type: "string" }, { resource: "LoRA", required: true }),
    null,
  );
  await click(find("#it"));
  expect(api.files).toHaveBeenCalledExactlyOnceWith("LoRA");
  const options = [...document.querySelectorAll("[role=option]")].map((option) => option.textContent);
  expect(options).toEqual(["style.safetensorsfile · 4 KiB", "old.pt It is a pickle."]);
  await type(find("[role=combobox]"), "more/other");
  await press(find("[role=combobox]"), "Enter");
  expect(changed).toHaveBeenCalledExactlyOnceWith("more/other");
});

test("a seed is kept by its pin, and the one that ran is taken back", async () => {
  const mode = vi.fn();
  const port = portOf({ type: "integer", format: "seed", minimum: 0, default: 0 });
  const { find, click } = await render(<Shown port={port} start={5} changed={changed} look="block" mode={mode} />);
  await click(find("[aria-label='Keep this seed']"));
  expect(mode).toHaveBeenLastCalledWith(null);
  await click(find("[aria-label='Keep the seed that ran last: 77']"));
  expect(changed).toHaveBeenLastCalledWith(77);
  await click(find("[aria-label='New seed']"));
  expect(changed.mock.lastCall?.[0]).toSatisfy((seed: number) => seed >= 0 && seed < 2 ** 32);
});

test("items of a list are added, changed, moved and removed", async () => {
  const port = portOf(
    { type: "array", items: { type: "string" } },
    { type: { is: "list", item: { is: "scalar", name: "str" } } },
  );
  const { find, click, type } = await draw(port, ["a", "b"], "block");
  await click(find("[aria-label='Move item 2 up']"));
  expect(changed).toHaveBeenLastCalledWith(["b", "a"]);
  await type(find("#it-0"), "c");
  expect(changed).toHaveBeenLastCalledWith(["c", "a"], "text-0");
  await click(find("[aria-label='Remove item 1']"));
  expect(changed).toHaveBeenLastCalledWith(["a"]);
  await click(find(".quiet-button"));
  expect(changed).toHaveBeenLastCalledWith(["a", ""]);
});

test("JSON that cannot be read stays to be mended", async () => {
  const { find, type, leave } = await draw(portOf({ type: "object" }), { a: 1 }, "block");
  await type(find("textarea"), "{");
  await leave(find("textarea"));
  expect(find("[role=alert]").textContent).toBe("This is not JSON.");
  expect(find<HTMLTextAreaElement>("textarea").value).toBe("{");
  await type(find("textarea"), '{"b": 2}');
  await leave(find("textarea"));
  expect(changed).toHaveBeenCalledExactlyOnceWith({ b: 2 });
});

const EACH: [string, InputPort, Json][] = [
  ["number", STEPS, 20],
  ["choice", portOf({ type: "string", enum: ["a", "b"] }), "a"],
  ["text", portOf({ type: "string", format: "multiline" }), "fox"],
  ["toggle", portOf({ type: "boolean" }), true],
  ["picture", portOf({ type: "string" }, { resource: "picture" }), "fox.png"],
  ["model", portOf({ type: "string" }, { resource: "model" }), "fox"],
  ["file", portOf({ type: "string" }, { resource: "LoRA" }), "style.safetensors"],
  ["list", portOf({ type: "array", items: { type: "integer" } }), [1, 2]],
  ["json", portOf({ type: "object" }), {}],
];

test.each(EACH)("axe finds nothing in the widget of a %s", async (_, port, value) => {
  await draw(port, value);
  expect(await findings()).toEqual([]);
  await draw(port, value, "block");
  expect(await findings()).toEqual([]);
});
