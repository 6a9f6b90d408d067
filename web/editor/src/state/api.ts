import type {
  Entry,
  Foresight,
  Origin as MadeWith,
  Model,
  Ready,
  Run,
  Seen,
  Trouble,
  Uploaded,
  Waiting,
} from "../api.gen";
import type { Catalog, NodeType } from "../graph/catalog";
import type { GraphDocument } from "../graph/document";

export type { Artifact, Fault, Foresight, Model, Run, Trouble, Waiting } from "../api.gen";

export type RunState = Run["state"];

/** A saved graph in the list. */
export type GraphEntry = Entry;

/** What is known of a value on a link. */
export type Inspection = Seen;

/** A picture that was brought: `name` can be the file of a LoadImage. */
export type Upload = Uploaded;

/** A graph as the server has it. */
export interface SavedGraph {
  document: GraphDocument;
  etag: string;
}

/** Where a queued run goes. */
export type Place = { before: string } | { to: "first" | "last" };

/** Which graph and values made a run or a file. */
export type Origin = Omit<MadeWith, "graph"> & { graph: GraphDocument };

/** A graph to run. The same `idempotency_key` is the same run, however often it is sent. */
export interface Submission {
  graph: GraphDocument;
  name: string;
  only?: string[];
  idempotency_key?: string;
}

/** What a save must find: a version that is known, no graph at all. */
export type Condition = { match: string } | { none: true };

/**
 * The server's refusal, or its silence. `status` is the HTTP status, 0 when there was no answer at all; the message is
 * the first problem in the server's own words.
 */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly problems: readonly Trouble[];

  constructor(status: number, problems: readonly Trouble[]) {
    super(problems.map(({ what, fix }) => `${what} ${fix}`.trim())[0] ?? `HTTP ${status}`);
    this.status = status;
    this.problems = problems;
  }
}

/** So long after the server could not say something it is asked again. */
export const AGAIN = 3000;

/** Whether the server cannot say now what it will be able to say: its worker is starting, or busy. */
export function isBusy(error: unknown): boolean {
  return error instanceof ApiError && error.status === 409;
}

/** Where a file that a run made can be seen; `width` asks for a thumbnail of at most that width. */
export function artifactUrl(artifact: { digest: string }, width?: number): string {
  return `/api/artifacts/${artifact.digest}${width === undefined ? "" : `?width=${Math.round(width)}`}`;
}

/** Where a picture that LoadImage names can be seen. */
export function inputUrl(name: string, width?: number): string {
  return `/api/inputs/${encodeURIComponent(name)}${width === undefined ? "" : `?width=${Math.round(width)}`}`;
}

/** Every route that the editor uses. Each call raises `ApiError`. */
export const api = {
  async nodes(): Promise<{ types: Catalog; problems: Trouble[] }> {
    const { nodes, problems } = await ask<{ nodes: NodeType[]; problems: Trouble[] }>("GET", "/api/nodes");
    return { types: Object.fromEntries(nodes.map((type) => [type.id, type])), problems };
  },

  async models(): Promise<Model[]> {
    return (await ask<{ models: Model[] }>("GET", "/api/models")).models;
  },

  /** What an input with this resource may name, such as a LoRA. */
  async files(noun: string): Promise<Model[]> {
    return (await ask<{ models: Model[] }>("GET", `/api/models?noun=${encodeURIComponent(noun)}`)).models;
  },

  /** Whether the worker can be asked what it would do; it takes seconds to start. Where nobody can say, it may be. */
  async workerIsReady(): Promise<boolean> {
    const { worker } = await ask<Pick<Ready, "worker">>("GET", "/ready").catch(() => ({ worker: "ready" }));
    return worker === "ready";
  },

  check(graph: GraphDocument, signal?: AbortSignal): Promise<{ ok: boolean; problems: Trouble[] }> {
    return ask("POST", "/api/check", { graph }, signal);
  },

  /** What a run of the graph would reuse; `name` is the one it runs under, so that changes since then are told. */
  async plan(graph: GraphDocument, name: string, signal?: AbortSignal): Promise<Foresight[]> {
    return (await ask<{ nodes: Foresight[] }>("POST", "/api/plan", { graph, name }, signal)).nodes;
  },

  async graphs(): Promise<GraphEntry[]> {
    return (await ask<{ graphs: GraphEntry[] }>("GET", "/api/graphs")).graphs;
  },

  /** A saved graph, or null when it is still the version `known`. */
  async graph(name: string, known?: string): Promise<SavedGraph | null> {
    const response = await send("GET", graphPath(name), known === undefined ? {} : { "If-None-Match": `"${known}"` });
    return response.status === 304 ? null : savedGraph(response);
  },

  /** Save a graph under a name where the condition holds (412 where it does not). */
  async saveGraph(name: string, document: GraphDocument, condition: Condition): Promise<SavedGraph> {
    const headers: Record<string, string> =
      "match" in condition ? { "If-Match": `"${condition.match}"` } : { "If-None-Match": "*" };
    return savedGraph(await send("PUT", graphPath(name), headers, document));
  },

  async deleteGraph(name: string, etag: string): Promise<void> {
    await send("DELETE", graphPath(name), { "If-Match": `"${etag}"` });
  },

  async versions(name: string): Promise<string[]> {
    return (await ask<{ versions: string[] }>("GET", `${graphPath(name)}/versions`)).versions;
  },

  version(name: string, version: string): Promise<GraphDocument> {
    return ask("GET", `${graphPath(name)}?version=${encodeURIComponent(version)}`);
  },

  submit(submission: Submission): Promise<Run> {
    return ask("POST", "/api/runs", submission);
  },

  /** Runs, newest first; `next` goes on where the page ends. */
  runs(after?: string | null, limit = 50): Promise<{ runs: Run[]; next: string | null }> {
    return ask("GET", `/api/runs?limit=${limit}${after ? `&after=${after}` : ""}`);
  },

  run(id: string): Promise<Run> {
    return ask("GET", `/api/runs/${id}`);
  },

  runGraph(id: string): Promise<Origin> {
    return ask("GET", `/api/runs/${id}/graph`);
  },

  /** Which graph and values made a file. */
  origin(digest: string): Promise<Origin> {
    return ask("GET", `/api/artifacts/${digest}/origin`);
  },

  cancel(id: string): Promise<Run> {
    return ask("DELETE", `/api/runs/${id}`);
  },

  retry(id: string): Promise<Run> {
    return ask("POST", `/api/runs/${id}/retry`);
  },

  move(id: string, where: Place): Promise<Run> {
    return ask("POST", `/api/runs/${id}/move`, where);
  },

  queue(): Promise<Waiting> {
    return ask("GET", "/api/queue");
  },

  pause(): Promise<{ paused: boolean }> {
    return ask("POST", "/api/queue/pause");
  },

  resume(): Promise<{ paused: boolean }> {
    return ask("POST", "/api/queue/resume");
  },

  /** A tidy layout: left to right along the links. `sizes` are in pixels; `only` leaves the other nodes where they are. */
  async layout(
    graph: GraphDocument,
    sizes: Record<string, [number, number]>,
    only?: string[],
  ): Promise<Record<string, [number, number]>> {
    const body = { graph, sizes, ...(only && { only }) };
    return (await ask<{ layout: Record<string, [number, number]> }>("POST", "/api/layout", body)).layout;
  },

  /** What an output port ("node.port") gave, if it is still there. */
  inspect(graph: GraphDocument, port: string, name?: string, signal?: AbortSignal): Promise<Inspection> {
    return ask("POST", "/api/inspect", { graph, port, ...(name !== undefined && { name }) }, signal);
  },

  async upload(picture: Blob): Promise<Upload> {
    const type = picture.type.startsWith("image/") ? picture.type : "application/octet-stream";
    return (await send("POST", "/api/uploads", { "Content-Type": type }, picture)).json();
  },
};

/** So long an answer may take, in milliseconds; a server that hangs would otherwise hold up every later save. */
const PATIENCE = 60_000;

function graphPath(name: string): string {
  return `/api/graphs/${encodeURIComponent(name)}`;
}

async function savedGraph(response: Response): Promise<SavedGraph> {
  const document: GraphDocument = await read(response);
  return { document, etag: (response.headers.get("ETag") ?? "").replace(/^W\//, "").replaceAll('"', "") };
}

async function ask<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  return read<T>(await send(method, path, {}, body, signal));
}

async function send(
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: unknown,
  signal?: AbortSignal,
): Promise<Response> {
  const options: RequestInit = { method, headers: { ...headers }, signal: signal ?? AbortSignal.timeout(PATIENCE) };
  if (body instanceof Blob) {
    options.body = body;
    options.signal = signal ?? null; // a picture may take its time
  } else if (method !== "GET") {
    options.headers = { "Content-Type": "application/json", ...headers };
    options.body = body === undefined ? null : JSON.stringify(body);
  }
  const response = await fetch(path, options).catch((error: unknown) => {
    throw isAbort(error) ? error : silence();
  });
  if (!response.ok && response.status !== 304) {
    throw await refusal(response);
  }
  return response;
}

/** JSON, or an `ApiError` where the answer broke off. */
async function read<T>(response: Response): Promise<T> {
  try {
    return await response.json();
  } catch (error) {
    throw isAbort(error) ? error : silence();
  }
}

async function refusal(response: Response): Promise<ApiError> {
  const told = await response.json().catch(() => null);
  const problems: Trouble[] = Array.isArray(told?.problems) ? told.problems : [];
  if (problems.length === 0) {
    problems.push({ code: "http", at: "", what: `The server answered ${response.status}.`, fix: response.statusText });
  }
  return new ApiError(response.status, problems);
}

function silence(): ApiError {
  const fix = "Is it running? `patchbay serve` starts it.";
  return new ApiError(0, [{ code: "unreachable", at: "", what: "The server does not answer.", fix }]);
}

/** Whether an error only says that nobody wants the answer any more. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
