import { create } from "zustand";
import { t } from "../text/text";
import { useCatalog } from "./catalog";
import { useDocument } from "./document";
import { isGraphName } from "./graphNames";
import { guardDocument, reviveDocument } from "./guard";
import { shareDone } from "./nodeRuns";
import { followPlan } from "./plan";
import { followRuns, showFitting, useRuns } from "./runs";
import { useUi } from "./ui";

/** What the address asks for. */
export type Route = { view: "home" } | { view: "graph"; name: string } | { view: "form"; name: string };

export interface SessionStore {
  route: Route;
}

const LAST = "patchbay.last";

export const useSession = create<SessionStore>(() => ({ route: readRoute(location.pathname) }));

/** The route of a path; what is none is the home page. */
export function readRoute(path: string): Route {
  const found = /^\/(graph|form)\/([^/]+)\/?$/.exec(path);
  const name = decoded(found?.[2] ?? "");
  if (!isGraphName(name)) {
    return { view: "home" };
  }
  return { view: found?.[1] === "form" ? "form" : "graph", name };
}

/** The path of a route. */
export function pathOf(route: Route): string {
  return route.view === "home" ? "/" : `/${route.view}/${route.name}`;
}

/** Go to a page of the editor; `replace` leaves no step back to this one. */
export function navigate(route: Route, replace = false): void {
  setAddress(route, replace);
  void enter(route);
}

function setAddress(route: Route, replace: boolean): void {
  const path = pathOf(route);
  if (path !== location.pathname) {
    window.history[replace ? "replaceState" : "pushState"](null, "", path);
  }
  useSession.setState({ route });
}

/** Open what a route names. When it cannot be opened, the address goes back to what is open. */
async function enter(route: Route): Promise<void> {
  if (route.view === "home") {
    return enterHome();
  }
  if (!(await useDocument.getState().open(route.name)) && useSession.getState().route === route) {
    const { name } = useDocument.getState();
    setAddress(name === null ? { view: "home" } : { view: "graph", name }, true);
    if (name === null) {
      useUi.getState().openPanel("graphs");
    }
  }
}

/** The last graph, or the choice among all where there is none. */
async function enterHome(): Promise<void> {
  const { name } = useDocument.getState();
  const last = name ?? readLast();
  if (last === null) {
    useUi.getState().openPanel("graphs");
  } else {
    const route: Route = { view: "graph", name: last };
    setAddress(route, true);
    await enter(route);
  }
}

function readLast(): string | null {
  try {
    const last = localStorage.getItem(LAST);
    return last !== null && isGraphName(last) ? last : null;
  } catch {
    return null;
  }
}

function rememberLast(name: string | null): void {
  try {
    if (name === null) {
      localStorage.removeItem(LAST);
    } else {
      localStorage.setItem(LAST, name);
    }
  } catch {
    // then the next visit begins with the choice
  }
}

/** Start the editor: the catalogue, what happens on the server, and the graph that the address names. */
export function startSession(): () => void {
  const stops = [
    followRuns(() => {
      void reviveDocument();
      if (useCatalog.getState().status === "failed") {
        void useCatalog.getState().load();
      }
    }),
    followPlan(),
    guardDocument(),
    useDocument.subscribe(follow),
    useDocument.subscribe(nameWindow),
    useRuns.subscribe(nameWindow),
  ];
  const hear = () => {
    const route = readRoute(location.pathname);
    useSession.setState({ route });
    void enter(route);
  };
  window.addEventListener("popstate", hear);
  void useCatalog.getState().load();
  void enter(useSession.getState().route);
  return () => {
    window.removeEventListener("popstate", hear);
    for (const stop of stops) {
      stop();
    }
  };
}

/** Let the address and the shown run follow the open graph. */
function follow(
  { name, renamedFrom }: { name: string | null; renamedFrom: string | null },
  before: { name: string | null },
) {
  if (name === before.name) {
    return;
  }
  rememberLast(name);
  const { route } = useSession.getState();
  if (name === null) {
    setAddress({ view: "home" }, false);
    useUi.getState().openPanel("graphs");
  } else if (route.view === "home" || route.name !== name) {
    const renamed = route.view !== "home" && renamedFrom !== null && route.name === renamedFrom;
    setAddress({ view: renamed ? route.view : "graph", name }, renamed || route.view === "home");
  }
  showFitting();
}

/** Name the window after the graph, and tell how far its run is. */
function nameWindow(): void {
  const { name, document: doc } = useDocument.getState();
  const title = doc.name || name;
  const { shown, runs, nodes } = useRuns.getState();
  const running = shown !== null && runs[shown]?.state === "running";
  const share = running ? shareDone(nodes) : null;
  if (title === null) {
    document.title = t("app.name");
  } else if (share !== null) {
    document.title = t("run.title", { percent: Math.floor(share * 100), name: title });
  } else {
    document.title = running ? t("run.title.running", { name: title }) : `${title} - ${t("app.name")}`;
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}
