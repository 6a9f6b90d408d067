/** What tabs of one browser tell each other: a graph was saved. */
export interface TabNews {
  name: string;
  etag: string;
}

const channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("patchbay");

/** Tell the other tabs. */
export function tellTabs(news: TabNews): void {
  channel?.postMessage(news);
}

/** Hear what other tabs tell; returns how to stop. */
export function hearTabs(hear: (news: TabNews) => void): () => void {
  const listen = ({ data }: MessageEvent<TabNews>) => hear(data);
  channel?.addEventListener("message", listen);
  return () => channel?.removeEventListener("message", listen);
}
