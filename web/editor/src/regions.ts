/** The parts of the page in the order in which F6 visits them; each is entered at its first thing that takes keys. */
const REGIONS = [".workbench-canvas", ".workbench-panel", ".workbench > header", ".status"];

const TAKES_KEYS = "[tabindex='0'], button:not(:disabled), input:not(:disabled), select, textarea, a[href]";

/** Bring the focus to the next part of the page: out of the canvas, where Tab adds nodes, as well as into it. */
export function focusNextRegion(): void {
  const regions = REGIONS.map((selector) => document.querySelector(selector)).filter((region) => region !== null);
  const current = regions.findIndex((region) => region.contains(document.activeElement));
  const order = [...regions.slice(current + 1), ...regions.slice(0, current + 1)];
  for (const region of order) {
    const target = region.querySelector<HTMLElement>(TAKES_KEYS);
    if (target !== null) {
      target.focus();
      return;
    }
  }
}
