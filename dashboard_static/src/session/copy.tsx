/** Puts a text where it can be pasted, and says whether that was done. */

import { useSignal } from "@preact/signals";
import { t } from "../messages";

const SAID_MS = 2000;

export function Copy({ text }: { text: string }) {
  const said = useSignal<"" | "copied" | "failed">("");
  const copy = async () => {
    said.value = (await toClipboard(text)) ? "copied" : "failed";
    setTimeout(() => (said.value = ""), SAID_MS);
  };
  const words = { "": t("Copy"), copied: t("Copied"), failed: t("Not copied") };
  return (
    <button type="button" class="ghost" data-testid="copy" aria-live="polite" onClick={copy}>
      {words[said.value]}
    </button>
  );
}

async function toClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return byHand(text);
  }
}

/** A page that came by plain HTTP has no clipboard; a selection can still be copied. */
function byHand(text: string): boolean {
  const before = document.activeElement as HTMLElement | null;
  const field = document.body.appendChild(document.createElement("textarea"));
  field.value = text;
  field.className = "hidden";
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  before?.focus({ preventScroll: true });
  return done;
}
