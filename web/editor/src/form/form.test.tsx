import { act } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { InputPort, NodeType } from "../graph/catalog";
import type { GraphDocument } from "../graph/document";
import { ApiError, api, type Run } from "../state/api";
import { useCatalog } from "../state/catalog";
import { useDocument } from "../state/document";
import { useRuns } from "../state/runs";
import { clear, findings, render } from "../widgets/render";
import { FormView } from "./FormView";

function input(name: string, schema: InputPort["schema"]): InputPort {
  const rest = { required: false, dial: true, lazy: false, description: `About ${name}.` };
  return { name, type: { is: "scalar", name: "int" }, label: "int", schema, ...rest };
}

const DRAW: NodeType = {
  id: "Draw",
  category: "test",
  summary: "Draws.",
  inputs: [
    input("text", { type: "string", format: "multiline", default: "" }),
    input("seed", { type: "integer", format: "seed", minimum: 0, default: 0 }),
    input("hidden", { type: "integer", default: 1 }),
  ],
  outputs: [{ name: "picture", type: { is: "scalar", name: "str" }, label: "text" }],
  device: false,
  effect: false,
  deterministic: true,
  version: 1,
};

const DOC: GraphDocument = {
  version: 1,
  name: "Fox",
  description: "Draws a fox.",
  nodes: { draw: { type: "Draw", inputs: { text: "a fox", seed: 4 } } },
  interface: { inputs: { prompt: "draw.text", seed: "draw.seed" }, outputs: { picture: "draw.picture" } },
  seeds: { "draw.seed": "random" },
};

const RUN = {
  id: "7",
  number: 7,
  name: "fox",
  state: "queued",
  files: [],
  outputs: {},
  cancelling: false,
} as unknown as Run;

const runs = useRuns.getInitialState();
const doc = useDocument.getInitialState();

beforeEach(() => {
  localStorage.clear();
  useCatalog.setState({ status: "ready", types: { Draw: DRAW } });
  useDocument.setState({ ...doc, name: "fox", document: DOC });
  useRuns.setState({ ...runs, show: (shown) => useRuns.setState({ shown, runs: { "7": RUN } }) });
});

afterEach(async () => {
  await clear();
  vi.restoreAllMocks();
});

const prompt = () => document.querySelector<HTMLTextAreaElement>("textarea") ?? document.createElement("textarea");

test("only the inputs of the interface are shown, with their meaning", async () => {
  await render(<FormView />);
  const names = [...document.querySelectorAll(".input-name")].map((label) => label.textContent);
  expect(names).toEqual(["Prompt", "Seed"]);
  expect(document.body.textContent).toContain("About text.");
});

test("what is filled in runs, changes no graph, and the drawn seed is shown", async () => {
  const submit = vi.spyOn(api, "submit").mockResolvedValue({ ...RUN, drawn: { "draw.seed": 99 } });
  const { find, type, click } = await render(<FormView />);
  await type(prompt(), "a wolf");
  await click(find("button[type=submit]"));
  const sent = submit.mock.calls[0]?.[0];
  expect(sent?.graph?.nodes.draw?.inputs).toMatchObject({ text: "a wolf", seed: 4 });
  expect(sent?.graph?.seeds).toEqual({ "draw.seed": "random" });
  expect(sent?.name).toBe("fox");
  expect(useDocument.getState().document).toBe(DOC);
  expect(useRuns.getState().shown).toBe("7");
  expect(find<HTMLInputElement>("[role=spinbutton]").value).toBe("99");
});

test("what is filled in is there again after a reload, and can be given up", async () => {
  const { type } = await render(<FormView />);
  await type(prompt(), "a wolf");
  const { find, click } = await render(<FormView />);
  expect(prompt().value).toBe("a wolf");
  await click(find("[aria-label^='Reset Prompt']"));
  expect(prompt().value).toBe("a fox");
});

test("a kept value that the input would refuse by now is left out", async () => {
  localStorage.setItem("patchbay.form.fox", JSON.stringify({ values: { seed: -4, prompt: "a cat" }, seeds: {} }));
  const { find } = await render(<FormView />);
  expect(find<HTMLInputElement>("[role=spinbutton]").value).toBe("4");
  expect(prompt().value).toBe("a cat");
});

test("what the server refuses is said at the input it is about, the rest below", async () => {
  const problems = [
    { code: "x", at: "draw.text", what: "Too short.", fix: "Write more." },
    { code: "y", at: "draw", what: "No model.", fix: "Load one." },
  ];
  vi.spyOn(api, "submit").mockRejectedValue(new ApiError(422, problems));
  const { find, click } = await render(<FormView />);
  await click(find("button[type=submit]"));
  expect(find(".form-input.is-wrong").textContent).toContain("Too short.");
  expect(find(".problems").textContent).toBe("drawNo model.Load one.");
});

test("a plain value and pictures are shown as what they are", async () => {
  useRuns.setState({ shown: "7", runs: { "7": { ...RUN, state: "done", outputs: { picture: "a word" } } } });
  const { find } = await render(<FormView />);
  expect(find("output").textContent).toBe("a word");
  const file = { digest: "d", file: "fox-0001.png", media_type: "image/png", bytes: 1, width: 8, height: 4 };
  await act(async () =>
    useRuns.setState({
      runs: { "7": { ...RUN, state: "done", outputs: { picture: [file] }, files: [file] } },
      history: ["7"],
    }),
  );
  expect(find<HTMLImageElement>(".form-picture img").alt).toBe("fox-0001.png, 8 × 4");
  expect(find(".form-history .thumb")).toBeTruthy();
});

test("axe finds nothing in the form", async () => {
  await render(<FormView />);
  expect(await findings()).toEqual([]);
});
