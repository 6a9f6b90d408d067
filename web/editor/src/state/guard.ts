import { openSaver } from "./document";
import { hearTabs } from "./tabs";

/**
 * Save when the page is hidden, look for newer versions when it is seen again, try again when the server is back, and
 * warn before a page is closed whose work is nowhere else. Returns how to stop.
 */
export function guardDocument(): () => void {
  const stop = new AbortController();
  const { signal } = stop;
  document.addEventListener(
    "visibilitychange",
    () => {
      if (document.visibilityState === "hidden") {
        openSaver()?.keepNow();
        void openSaver()?.flush();
      } else {
        void openSaver()?.refresh();
      }
    },
    { signal },
  );
  window.addEventListener("pagehide", () => openSaver()?.keepNow(), { signal });
  window.addEventListener("focus", () => void openSaver()?.refresh(), { signal });
  window.addEventListener("online", () => openSaver()?.nudge(), { signal });
  window.addEventListener(
    "beforeunload",
    (event) => {
      openSaver()?.keepNow();
      if (openSaver()?.atRisk) {
        event.preventDefault();
      }
    },
    { signal },
  );
  const deaf = hearTabs(({ name, etag }) => {
    const saver = openSaver();
    if (saver?.name === name && saver.etag !== etag) {
      void saver.refresh();
    }
  });
  return () => {
    stop.abort();
    deaf();
  };
}

/** The server answers again: save what is waiting, and see what has changed there. */
export async function reviveDocument(): Promise<void> {
  openSaver()?.nudge();
  await openSaver()?.refresh();
}
