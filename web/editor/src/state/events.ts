import type { Json } from "../graph/catalog";
import type { Fault } from "./api";

/** One thing that happened. `sequence` grows, also over restarts of the server; `run` is null for the queue itself. */
export interface ServerEvent {
  sequence: number;
  run: string | null;
  event: string;
  node?: string;
  nodes?: string[];
  done?: number;
  total?: number | null;
  text?: string;
  seconds?: number;
  because?: string;
  error?: Fault | null;
  state?: string;
  attempt?: number;
  name?: string;
  priority?: number;
  at?: number;
  outputs?: Record<string, Json>;
}

/** Who follows the stream. */
export interface Listener {
  /** An event, and the JPEG of a preview. */
  hear(event: ServerEvent, preview?: Blob): void;
  open?(): void;
  lost?(): void;
}

const FIRST_PAUSE = 300;
const LONGEST_PAUSE = 10_000;

/** Bytes of the two lengths before a preview's JSON and its picture. */
const HEADER = 8;

/**
 * Follow what happens on the server; returns how to stop. It connects again by itself and asks for what it has missed.
 * `after` 0 with a `run` begins with everything that is still known of that run; without `after` it begins now.
 */
export function follow(listener: Listener, query: { run?: string; after?: number } = {}): () => void {
  let { after } = query;
  let socket: WebSocket | null = null;
  let pause = FIRST_PAUSE;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stopped = false;

  const connect = () => {
    timer = undefined;
    const own = new WebSocket(address(query.run, after));
    own.binaryType = "arraybuffer";
    socket = own;
    own.onopen = () => {
      listener.open?.();
    };
    own.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (stopped || socket !== own) {
        return;
      }
      pause = FIRST_PAUSE;
      const { event, preview } =
        typeof data === "string" ? { event: readEvent(data), preview: undefined } : unpack(data);
      if (event !== null) {
        after = event.sequence;
        listener.hear(event, preview);
      }
    };
    own.onclose = () => {
      if (!stopped && socket === own) {
        listener.lost?.();
        timer = setTimeout(connect, pause * (0.75 + Math.random() / 2));
        pause = Math.min(LONGEST_PAUSE, pause * 2);
      }
    };
  };
  const hurry = () => {
    if (timer !== undefined) {
      clearTimeout(timer);
      connect();
    }
  };
  connect();
  window.addEventListener("online", hurry);
  return () => {
    stopped = true;
    clearTimeout(timer);
    window.removeEventListener("online", hurry);
    socket?.close();
  };
}

function address(run: string | undefined, after: number | undefined): string {
  const url = new URL("/api/events", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  if (after !== undefined) {
    url.searchParams.set("after", String(after));
  }
  if (run !== undefined) {
    url.searchParams.set("run", run);
  }
  return url.href;
}

/** A frame with a picture: two lengths (big-endian, 4 bytes each), the JSON, the JPEG. */
export function unpack(data: ArrayBuffer): { event: ServerEvent | null; preview: Blob | undefined } {
  if (data.byteLength < HEADER) {
    return { event: null, preview: undefined };
  }
  const lengths = new DataView(data);
  const end = HEADER + lengths.getUint32(0);
  const event = readEvent(new TextDecoder().decode(data.slice(HEADER, end)));
  const picture = data.slice(end, end + lengths.getUint32(4));
  return { event, preview: picture.byteLength > 0 ? new Blob([picture], { type: "image/jpeg" }) : undefined };
}

function readEvent(text: string): ServerEvent | null {
  try {
    const found = JSON.parse(text);
    return typeof found?.event === "string" && typeof found.sequence === "number" ? found : null;
  } catch {
    return null;
  }
}
