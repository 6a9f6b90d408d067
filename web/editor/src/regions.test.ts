import { beforeEach, expect, test } from "vitest";
import { focusNextRegion } from "./regions";

beforeEach(() => {
  document.body.innerHTML = `
    <div class="workbench">
      <header><button id="bar">B</button></header>
      <main class="workbench-canvas"><div id="canvas" tabindex="0"></div></main>
      <aside class="workbench-panel"><button disabled>no</button><input id="panel"></aside>
      <footer class="status"></footer>
    </div>`;
});

test("the focus goes round the parts that take keys, beginning with the canvas", () => {
  const visited = Array.from({ length: 4 }, () => {
    focusNextRegion();
    return document.activeElement?.id;
  });
  expect(visited).toEqual(["canvas", "panel", "bar", "canvas"]);
});

test("where there is nothing to go to the focus stays", () => {
  document.body.innerHTML = "";
  focusNextRegion();
  expect(document.activeElement).toBe(document.body);
});
