import { vi } from "vitest";
import type { GraphDocument } from "../graph/document";
import type { Artifact, Run } from "./api";

/** What a test lets happen to the next requests that fit: no answer, an answer lost after the work, a refusal. */
export type Fault = "unreachable" | "answer lost" | number;

interface Seen {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: unknown;
}

/** The server's part in tests: graphs under their names with ETags, as web/server/graph_store.py has them. */
export class FakeServer {
  readonly graphs = new Map<string, { text: string; etag: string; shipped: boolean }>();
  readonly seen: Seen[] = [];
  readonly faults: { method: string; fault: Fault }[] = [];
  /** Answers of other routes, by "METHOD /path". */
  readonly answers = new Map<string, unknown>();
  #saves = 0;

  constructor() {
    vi.stubGlobal("fetch", (path: string, options: RequestInit = {}) => this.#answer(path, options));
  }

  /** Put a graph there as another program does. */
  put(name: string, document: GraphDocument, shipped = false): string {
    this.#saves += 1;
    const etag = `etag${this.#saves}`;
    this.graphs.set(name, { text: JSON.stringify(document), etag, shipped });
    return etag;
  }

  document(name: string): GraphDocument | null {
    const found = this.graphs.get(name);
    return found === undefined ? null : JSON.parse(found.text);
  }

  /** Let the next requests of a method fail, "POST" or "POST /api/plan". */
  fail(method: string, ...faults: Fault[]): void {
    this.faults.push(...faults.map((fault) => ({ method, fault })));
  }

  requests(method: string, path?: string): Seen[] {
    return this.seen.filter((item) => item.method === method && (path === undefined || item.path === path));
  }

  async #answer(path: string, options: RequestInit): Promise<Response> {
    const method = options.method ?? "GET";
    const named = [...new Headers(options.headers)].map(([name, value]) => [name.toLowerCase(), value]);
    const headers = Object.fromEntries(named);
    const body = typeof options.body === "string" ? JSON.parse(options.body) : options.body;
    this.seen.push({ method, path, headers, body });
    await Promise.resolve();
    const index = this.faults.findIndex((item) => item.method === method || item.method === `${method} ${path}`);
    const fault = index < 0 ? undefined : this.faults.splice(index, 1)[0]?.fault;
    if (fault === "unreachable") {
      throw new TypeError("Failed to fetch");
    }
    if (typeof fault === "number") {
      return problem(fault, `Refused with ${fault}.`);
    }
    const response = this.#work(method, path, headers, body);
    if (fault === "answer lost") {
      throw new TypeError("Failed to fetch");
    }
    return response;
  }

  #work(method: string, path: string, headers: Record<string, string>, body: unknown): Response {
    const told = this.answers.get(`${method} ${path.split("?")[0]}`);
    if (told !== undefined) {
      return Response.json(typeof told === "function" ? told(body) : told);
    }
    if (path === "/api/graphs") {
      const graphs = [...this.graphs].map(([name, { etag, shipped }]) => ({ name, etag, shipped, title: "" }));
      return Response.json({ graphs });
    }
    const name = /^\/api\/graphs\/([^/?]+)$/.exec(path)?.[1];
    return name === undefined ? problem(404, `Nothing at ${path}.`) : this.#graph(method, name, headers, body);
  }

  #graph(method: string, name: string, headers: Record<string, string>, body: unknown): Response {
    const known = this.graphs.get(name);
    const match = headers["if-match"]?.replaceAll('"', "");
    const none = headers["if-none-match"]?.replaceAll('"', "");
    if (method === "PUT") {
      const same = known !== undefined && known.text === JSON.stringify(body) && none === undefined;
      if (!same && ((none === "*" && known) || (match !== undefined && match !== known?.etag))) {
        return problem(412, "It was changed meanwhile.");
      }
      const etag = same ? known.etag : this.put(name, body as GraphDocument);
      return Response.json(body, { headers: { ETag: `"${etag}"` } });
    }
    if (known === undefined) {
      return problem(404, "There is no such graph.");
    }
    if (method === "DELETE") {
      this.graphs.delete(name);
      return new Response(null, { status: 204 });
    }
    if (none === known.etag) {
      return new Response(null, { status: 304, headers: { ETag: `"${known.etag}"` } });
    }
    return new Response(known.text, { headers: { ETag: `"${known.etag}"` } });
  }
}

function problem(status: number, what: string): Response {
  return Response.json({ problems: [{ code: "refused", at: "", what, fix: "" }] }, { status });
}

/** Let the browser have no room or no permission to store anything. */
export function refuseStorage(reason: "QuotaExceededError" | "SecurityError"): void {
  const refuse = () => {
    throw new DOMException("no", reason);
  };
  const { getItem } = localStorage;
  const get = reason === "SecurityError" ? refuse : getItem.bind(localStorage);
  vi.stubGlobal("localStorage", { getItem: get, setItem: refuse, removeItem: refuse });
}

/** A document with one node, whose text tells documents apart. */
export function documentOf(text: string): GraphDocument {
  return { version: 1, nodes: { prompt: { type: "Text", inputs: { text } } } };
}

/** A run with nothing special about it. */
export function runOf(id: string, more: Partial<Run> = {}): Run {
  return {
    id,
    number: Number(id),
    name: "fox",
    state: "queued",
    priority: 0,
    place: 0,
    attempt: 0,
    tries: 0,
    cancelling: false,
    created: 0,
    started: null,
    finished: null,
    inputs: {},
    wanted: null,
    only: null,
    drawn: {},
    document: "",
    base: null,
    affinity: "",
    overtaken: null,
    outputs: {},
    files: [],
    error: null,
    folder: null,
    ...more,
  };
}

/** A picture that a run made. */
export function pictureOf(file: string): Artifact {
  return { digest: `d-${file}`, file, media_type: "image/png", bytes: 1, width: 64, height: 64 };
}

/** The stream of events in tests. */
export class FakeSocket {
  static sockets: FakeSocket[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  binaryType = "";
  readonly url: string;

  constructor(url: string) {
    this.url = url;
    FakeSocket.sockets.push(this);
  }

  static install(): void {
    FakeSocket.sockets = [];
    vi.stubGlobal("WebSocket", FakeSocket);
  }

  static get last(): FakeSocket {
    const last = FakeSocket.sockets.at(-1);
    if (last === undefined) {
      throw new Error("Nothing has connected.");
    }
    return last;
  }

  static get count(): number {
    return FakeSocket.sockets.length;
  }

  /** Sockets that were asked for one run's events. */
  static of(run: string): FakeSocket[] {
    return FakeSocket.sockets.filter(({ url }) => url.endsWith(`run=${run}`));
  }

  open(): void {
    this.onopen?.();
  }

  say(data: object | string | ArrayBuffer): void {
    this.onmessage?.({ data: typeof data === "string" || data instanceof ArrayBuffer ? data : JSON.stringify(data) });
  }

  break(): void {
    this.onclose?.();
  }

  close(): void {}
}
