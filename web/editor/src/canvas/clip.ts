/** What was copied here last: for browsers that do not let a page read the clipboard. */
let kept = "";

/** Put a text on the clipboard, as far as the browser allows. */
export async function writeClip(text: string): Promise<void> {
  kept = text;
  // Outside a secure context there is no clipboard; what was copied can still be pasted in this page.
  await navigator.clipboard?.writeText(text).catch(() => undefined);
}

/** Remember what a copy event has put on the clipboard. */
export function keepClip(text: string): void {
  kept = text;
}

/** The text on the clipboard, or the one that was copied here last where the browser does not tell it. */
export async function readClip(): Promise<string> {
  const text = await navigator.clipboard?.readText?.().catch(() => "");
  return text || kept;
}
