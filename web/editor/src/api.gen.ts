// Written by `python -m web.contract` from the server's models: change those, and run it again.

/** Unknown until it runs: fits everything, everything fits it. */
export type AnyType = { is: "anything" };

/** A file that a run made for people. */
export type Artifact = {
  /** The sha256 of its content. */
  digest: string;
  /** Its name in the run's folder. */
  file: string;
  media_type: string;
  bytes: number;
  width: number | null;
  height: number | null;
};

/** Every node type with its ports, their types and the JSON schema of the values they take. */
export type Catalogue = {
  nodes: Array<NodeType>;
  /** Node files that could not be loaded. */
  problems: Array<Trouble>;
};

/** One of some literal values. */
export type ChoiceType = { is: "choice"; values: Array<JsonValue> };

/** A graph with values for its interface: to be checked, planned or run. */
export type Draft = {
  /** The graph document. Without it, `name` names a saved graph. */
  graph?: Record<string, JsonValue> | null;
  /** A saved graph; beside `graph`, what files are called after. */
  name?: string | null;
  /** Values for the graph's interface inputs. */
  inputs?: Record<string, JsonValue>;
  /** The interface outputs that are wanted. */
  outputs?: Array<string> | null;
  /** Run up to this node, or to each of these; their outputs are then the run's. */
  only?: string | Array<string> | null;
};

/** A saved graph. One that is `shipped` comes with Patchbay; saving under its name makes a copy of your own. */
export type Entry = {
  name: string;
  shipped: boolean;
  /** The name that the graph gives itself. */
  title: string;
  description: string;
  /** What `If-Match` needs; empty where the file cannot be read as a graph. */
  etag: string;
  /** Unix time in seconds. */
  modified: number;
  /** Why the file is no graph. */
  problem: Trouble | null;
};

/** Why a run failed: the fields of a `PatchbayError`, and what the node was given. */
export type Fault = {
  code: string;
  at: string;
  what: string;
  fix: string;
  inputs: Record<string, string>;
};

/** What a run would do now, node by node, in order. */
export type Forecast = { nodes: Array<Foresight> };

/** What one node would do now. */
export type Foresight = {
  node: string;
  state: "reused" | "runs" | "unknown";
  why: string;
};

/** A titled rectangle behind nodes. It is drawn and means nothing. */
export type Frame = {
  title: string;
  /** [x, y, width, height]. */
  spot: [number, number, number, number];
  tint?: "gray" | "red" | "orange" | "green" | "blue" | "purple" | null;
};

/** A graph as it is stored. */
export type GraphDocument = {
  version?: number;
  name?: string;
  description?: string;
  nodes?: Record<string, GraphNode>;
  interface?: GraphInterface;
  /** `node.input` to how the server chooses its value anew for each run that it takes. */
  seeds?: Record<string, "random" | "increment">;
  /** Where nodes are drawn, in pixels. */
  layout?: Record<string, Array<number>>;
  /** Rectangles behind the nodes, by id. */
  frames?: Record<string, Frame>;
};

/** What makes the graph callable: public names for inputs and outputs of its nodes. */
export type GraphInterface = {
  /** Public name to `node.input`. */
  inputs?: Record<string, string>;
  /** Public name to `node.output`. */
  outputs?: Record<string, string>;
};

/** One placed instance of a node type. A muted node is as if it were absent; a bypassed one hands its input on. */
export type GraphNode = {
  /** The node type's id. */
  type: string;
  /** A value, or {"link": "node.port"}, by input name. */
  inputs?: Record<string, JsonValue>;
  /** Mute or bypass the node. */
  state?: "mute" | "bypass" | null;
};

/** Values for a saved graph's interface. */
export type GraphRun = {
  /** Values for the graph's interface inputs. */
  inputs?: Record<string, JsonValue>;
  outputs?: Array<string> | null;
  /** Higher goes first. */
  priority?: number;
  idempotency_key?: string | null;
};

/** The server answers. */
export type Health = { status: "ok"; version: string };

/** A named input. */
export type InputPort = {
  name: string;
  type: TypeJson;
  label: string;
  required: boolean;
  /** Whether it is a setting; others are what flows in. */
  dial: boolean;
  lazy: boolean;
  description: string;
  /** JSON schema of the values it takes; null when it takes links only. */
  schema: Record<string, JsonValue> | null;
  /** What it names outside the graph, such as "model" or "picture". */
  resource: string | null;
};

export type JsonValue = null | boolean | number | string | JsonValue[] | { [name: string]: JsonValue };

/** A list of items of one type. */
export type ListType = { is: "list"; item: TypeJson };

/** The saved graphs. */
export type Listing = { graphs: Array<Entry> };

/** The output whose value is to be seen. */
export type Look = {
  /** The graph document. Without it, `name` names a saved graph. */
  graph?: Record<string, JsonValue> | null;
  /** A saved graph; beside `graph`, what files are called after. */
  name?: string | null;
  /** Values for the graph's interface inputs. */
  inputs?: Record<string, JsonValue>;
  /** The output, as node.port. */
  port: string;
};

/** A model that a graph may name. `kind` is null where it cannot be used; `detail` says more. */
export type Model = {
  name: string;
  kind: string | null;
  detail: Record<string, JsonValue>;
};

/** The models in the box, in the model folders and in the hub's cache. */
export type Models = { models: Array<Model> };

/** Where to: before another queued run, to the front or the back, or to another priority. */
export type Move = {
  before?: string | null;
  to?: "first" | "last" | null;
  priority?: number | null;
};

/** A class, with its type arguments and the names of its base classes. */
export type NamedType = {
  is: "named";
  name: string;
  args: Array<TypeJson>;
  bases: Array<string>;
};

/** A node's function raised. What depends on it is skipped, nothing else. */
export type NodeBroke = {
  /** Grows for ever; `?after=` takes it. */
  sequence: number;
  /** A run's number, as text. */
  run: string;
  event: "node_failed";
  node: string;
  error: Fault;
};

/** A node's function returned after `seconds`. */
export type NodeEnded = {
  /** Grows for ever; `?after=` takes it. */
  sequence: number;
  /** A run's number, as text. */
  run: string;
  event: "node_finished";
  node: string;
  seconds: number;
};

/** A node did not run because `because` failed. */
export type NodeLeftOut = {
  /** Grows for ever; `?after=` takes it. */
  sequence: number;
  /** A run's number, as text. */
  run: string;
  event: "node_skipped";
  node: string;
  because: string;
};

/** `done` of `total` steps are done; `total` is null when nobody knows it. */
export type NodeProgressed = {
  /** Grows for ever; `?after=` takes it. */
  sequence: number;
  /** A run's number, as text. */
  run: string;
  event: "node_progress";
  node: string;
  done: number;
  total: number | null;
};

/** A sentence from a node to its user. */
export type NodeSaid = {
  /** Grows for ever; `?after=` takes it. */
  sequence: number;
  /** A run's number, as text. */
  run: string;
  event: "node_message";
  node: string;
  text: string;
};

/** A node was started, its result was in the cache, or (with a picture) it shows what it has so far. */
export type NodeTold = {
  /** Grows for ever; `?after=` takes it. */
  sequence: number;
  /** A run's number, as text. */
  run: string;
  event: "node_started" | "node_reused" | "node_preview";
  node: string;
};

/** A node type, see `engine.node`. */
export type NodeType = {
  id: string;
  category: string;
  summary: string;
  inputs: Array<InputPort>;
  outputs: Array<OutputPort>;
  device: boolean;
  effect: boolean;
  deterministic: boolean;
  /** Whether it hands its input on as it is. */
  relay: boolean;
  version: number;
};

/** Which graph and values a run was made with. */
export type Origin = {
  /** A run's number, as text. */
  run: string;
  name: string;
  inputs: Record<string, JsonValue>;
  graph: Record<string, JsonValue>;
};

/** A named output. */
export type OutputPort = {
  name: string;
  type: TypeJson;
  label: string;
  /** Whether its values have more to show than one line. */
  inspectable: boolean;
};

/** Runs, newest first. `next` is null on the last page. */
export type Page = { runs: Array<Run>; next: string | null };

/** Whether runs may start. */
export type Paused = { paused: boolean };

/** A plain value: "str", "int", "float", "bool", "null" or "object"; or a model family, such as "sd1". */
export type PlainType = { is: "scalar" | "kind"; name: string };

/** The worker begins. `nodes` are the ids that the wanted outputs need, in order. */
export type PlanStarted = {
  /** Grows for ever; `?after=` takes it. */
  sequence: number;
  /** A run's number, as text. */
  run: string;
  event: "plan_started";
  nodes: Array<string>;
};

/** A refusal, RFC 9457: what the first problem is, and all of them under `problems`. */
export type ProblemDocument = {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  at: string;
  what: string;
  fix: string;
  pointer?: string | null;
  problems: Array<Trouble>;
};

/** Something that happened to the queue itself. */
export type QueueNotice = {
  /** Grows for ever; `?after=` takes it. */
  sequence: number;
  event: "queue_paused" | "queue_resumed" | "server_started";
  run: null;
  /** Unix time in seconds. */
  at: number;
};

/** Whether runs are taken, and whether the worker has started. */
export type Ready = { ready: boolean; worker: "ready" | "starting" };

/** One execution of a graph, queued, under way or over. */
export type Run = {
  /** A run's number, as text. */
  id: string;
  number: number;
  /** What its files are called after. */
  name: string;
  state: "queued" | "running" | "done" | "failed" | "cancelled";
  /** Higher goes first. */
  priority: number;
  /** Its place among runs of its priority; lower goes first. */
  place: number;
  /** How often it was started; only the newest attempt may end it. */
  attempt: number;
  /** Attempts since it was last queued by a person. */
  tries: number;
  cancelling: boolean;
  /** Unix time in seconds. */
  created: number;
  started: number | null;
  finished: number | null;
  /** The interface inputs that were given. */
  inputs: Record<string, JsonValue>;
  /** The interface outputs that are wanted; all by default. */
  wanted: Array<string> | null;
  /** Run up to this node, or to each of these. */
  only: string | Array<string> | null;
  /** By `node.input`: the values that were drawn for this run; its graph has them. */
  drawn: Record<string, number>;
  /** The sha256 of the graph's text, values included. */
  document: string;
  /** The folder that relative paths start from. */
  base: string | null;
  /** The models that it loads; equal ones run together. */
  affinity: string;
  /** When a run behind it first went ahead. */
  overtaken: number | null;
  /** By name: a plain value, or the list of artifacts that it became. */
  outputs: Record<string, JsonValue>;
  /** Every file it made. */
  files: Array<Artifact>;
  error: Fault | null;
  /** Where its files are. */
  folder: string | null;
};

/** A run is queued (again, and `because` says why), moved, about to be cancelled, or has been started. */
export type RunChanged = {
  /** Grows for ever; `?after=` takes it. */
  sequence: number;
  /** A run's number, as text. */
  run: string;
  /** Unix time in seconds. */
  at: number;
  state: "queued" | "running" | "done" | "failed" | "cancelled";
  attempt: number;
  priority: number;
  name: string;
  event: "run_queued" | "run_moved" | "run_cancelling" | "run_started";
  because?: string | null;
};

/** A run is over: done, failed or cancelled. */
export type RunEnded = {
  /** Grows for ever; `?after=` takes it. */
  sequence: number;
  /** A run's number, as text. */
  run: string;
  /** Unix time in seconds. */
  at: number;
  state: "queued" | "running" | "done" | "failed" | "cancelled";
  attempt: number;
  priority: number;
  name: string;
  event: "run_finished";
  outputs: Record<string, JsonValue>;
  error: Fault | null;
};

/** What a value is, where it is computed already; `label` is its type. */
export type Seen = {
  state: "here" | "not_computed";
  label: string;
  facts: Array<SeenFact>;
  histogram: Spread | null;
  pictures: Array<SeenPicture>;
};

/** One line about a value. */
export type SeenFact = { name: string; value: string };

/** A small picture of the value, or of a part of it. */
export type SeenPicture = {
  label: string;
  width: number;
  height: number;
  /** A PNG file in base64. */
  png: string;
};

/** How many numbers lie in each of equally wide parts from `low` to `high`. */
export type Spread = {
  low: number;
  high: number;
  counts: Array<number>;
};

/** One message of the stream: `event` says which. */
export type StreamEvent = QueueNotice | RunChanged | RunEnded | PlanStarted | NodeTold | NodeProgressed | NodeSaid | NodeEnded | NodeBroke | NodeLeftOut;

/** A graph to run. */
export type Submission = {
  /** The graph document. Without it, `name` names a saved graph. */
  graph?: Record<string, JsonValue> | null;
  /** A saved graph; beside `graph`, what files are called after. */
  name?: string | null;
  /** Values for the graph's interface inputs. */
  inputs?: Record<string, JsonValue>;
  /** The interface outputs that are wanted. */
  outputs?: Array<string> | null;
  /** Run up to this node, or to each of these; their outputs are then the run's. */
  only?: string | Array<string> | null;
  /** Higher goes first. */
  priority?: number;
  /** The same key is the same run, however often sent. */
  idempotency_key?: string | null;
};

/** Where nodes go, by id: the upper left corner of each in pixels. */
export type Tidied = { layout: Record<string, [number, number]> };

/** One problem: a stable code, the place in the graph's words and in the body, what is wrong, how to mend it. */
export type Trouble = {
  code: string;
  at: string;
  what: string;
  fix: string;
  pointer?: string | null;
};

/** A port's type, see `engine.types`: `is` says which form it has. */
export type TypeJson = PlainType | ChoiceType | NamedType | VariableType | ListType | UnionType | AnyType;

/** One of some types. */
export type UnionType = { is: "union"; members: Array<TypeJson> };

/** A graph to be laid out, whatever else is wrong with it. */
export type Untidy = {
  /** The graph document. */
  graph: Record<string, JsonValue>;
  /** [width, height] of nodes as they are drawn, by id. */
  sizes?: Record<string, [number, number]>;
  /** Move just these; their upper left corner stays. */
  only?: Array<string> | null;
};

/** Where a picture lies: `name` can be the file of a LoadImage. */
export type Uploaded = {
  name: string;
  width: number;
  height: number;
  media_type: string;
};

/** A type variable: for any type, for one of those it is `within`, or (`kind`) for a model family. */
export type VariableType = {
  is: "variable";
  name: string;
  kind: boolean;
  within: Array<TypeJson>;
};

/** Whether a graph can run, and every reason why it cannot. */
export type Verdict = { ok: boolean; problems: Array<Trouble> };

/** Earlier versions of a graph, newest first. */
export type Versions = { versions: Array<string> };

/** The queued runs in the order in which they will start. */
export type Waiting = {
  paused: boolean;
  running: string | null;
  runs: Array<Run>;
};

/** What is sent and answered as JSON. */
export type Routes = {
  "GET /api/openapi.json": { answer: Record<string, JsonValue> };
  "GET /health": { answer: Health };
  "GET /ready": { answer: Ready };
  "GET /api/nodes": { answer: Catalogue };
  "GET /api/schema": { answer: Record<string, JsonValue> };
  "GET /api/models": { answer: Models };
  "POST /api/check": { body: Draft; answer: Verdict };
  "POST /api/plan": { body: Draft; answer: Forecast };
  "POST /api/layout": { body: Untidy; answer: Tidied };
  "POST /api/inspect": { body: Look; answer: Seen };
  "POST /api/runs": { body: Submission; answer: Run };
  "GET /api/runs": { answer: Page };
  "GET /api/runs/{id}": { answer: Run };
  "DELETE /api/runs/{id}": { answer: Run };
  "POST /api/runs/{id}/retry": { answer: Run };
  "POST /api/runs/{id}/move": { body: Move; answer: Run };
  "GET /api/runs/{id}/graph": { answer: Origin };
  "GET /api/queue": { answer: Waiting };
  "POST /api/queue/pause": { answer: Paused };
  "POST /api/queue/resume": { answer: Paused };
  "GET /api/graphs": { answer: Listing };
  "GET /api/graphs/{name}": { answer: Record<string, JsonValue> };
  "PUT /api/graphs/{name}": { answer: Record<string, JsonValue> };
  "GET /api/graphs/{name}/versions": { answer: Versions };
  "POST /api/graphs/{name}/run": { body: GraphRun; answer: Run };
  "GET /api/artifacts/{digest}/origin": { answer: Origin };
  "POST /api/uploads": { answer: Uploaded };
};
