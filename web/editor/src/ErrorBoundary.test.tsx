import { act } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ErrorBoundary } from "./ErrorBoundary";
import { useDocument } from "./state/document";

let root: Root;
let broken = true;

function Part() {
  if (broken) {
    throw new Error("It broke.");
  }
  return <p>Whole</p>;
}

const draw = (about: string) =>
  act(async () => {
    root.render(
      <ErrorBoundary about={about}>
        <Part />
      </ErrorBoundary>,
    );
  });

beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  vi.spyOn(console, "error").mockImplementation(() => {});
  document.body.innerHTML = '<div id="root"></div>';
  root = createRoot(document.getElementById("root") ?? document.body);
  broken = true;
});

afterEach(async () => {
  await act(async () => root.unmount());
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const text = () => document.body.textContent ?? "";
const press = (label: string) =>
  act(async () => {
    [...document.querySelectorAll("button")].find((button) => button.textContent === label)?.click();
  });

test("a failure says what to do, and trying again shows the part", async () => {
  await draw("fox");
  expect(document.querySelector("[role=alert]")).not.toBeNull();
  expect(text()).toContain("Your graph is kept");
  expect(text()).toContain("It broke.");
  broken = false;
  await press("Try again");
  expect(text()).toBe("Whole");
});

test("another graph is a reason to try again", async () => {
  await draw("fox");
  broken = false;
  await draw("owl");
  expect(text()).toBe("Whole");
});

test("the graph can be taken out as text", async () => {
  const writeText = vi.fn(async (_text: string) => {});
  vi.stubGlobal("navigator", { clipboard: { writeText } });
  await draw("fox");
  await press("Copy the graph");
  expect(JSON.parse(writeText.mock.calls[0]?.[0] ?? "")).toEqual(useDocument.getState().document);
});
