/** Keyboard: a few keys, the same on every screen. */

import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { inboxKey, inboxWanted } from "./attention/inbox_keys";
import { chosen } from "./chosen";
import { screen } from "./hub";
import { t } from "./messages";
import { compareHref, go, historyHref, parse, route } from "./router";

export const sheetOpen = signal(false);

/** The list in view takes these; there is at most one. */
const listKeys: { current: ((key: string) => boolean) | null } = { current: null };

/** By `useLayoutEffect` a key is heard that is pressed as soon as the list is seen. */
export function useListKeys(own: (key: string) => boolean, useIt = useEffect): void {
  useIt(() => {
    listKeys.current = own;
    return () => {
      // The list that comes after this one may be there already.
      if (listKeys.current === own) listKeys.current = null;
    };
  }, []);
}

export const filterField: { current: HTMLInputElement | null } = { current: null };

const MOVES: Record<string, string> = { j: "ArrowDown", k: "ArrowUp" };

export function startKeys(): void {
  addEventListener("keydown", (event) => {
    if (screen.peek() !== "app" || event.ctrlKey || event.metaKey || event.altKey) return;
    // An open sheet or menu has keys of its own; it is told closed a moment after it is.
    if (document.querySelector("dialog[open], :popover-open")) return;
    if (handle(event)) event.preventDefault();
  });
}

function handle(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement;
  // The settings lie over the page and are closed by Esc.
  if (target.closest("[popover]")) return false;
  if (target.closest("input, textarea, select")) return inField(event.key, target);
  if (event.key === "/") return focusFilter();
  if (event.key === "?") return (sheetOpen.value = true);
  if (event.key === "a") return toInbox();
  if (event.key in SCREENS) return toScreen(event.key);
  const move = MOVES[event.key] ?? event.key;
  if (inboxKey(move, target)) return true;
  if (event.key === "Escape") return back();
  // A button or link that has the focus keeps its own Enter.
  if (event.key === "Enter" && target.closest("a, button, summary")) return false;
  return listKeys.current?.(move) ?? false;
}

function inField(key: string, target: HTMLElement): boolean {
  if (key === "Escape") target.blur();
  else if (key === "ArrowDown" || key === "Enter") {
    if (target !== filterField.current) return false;
    target.blur();
    listKeys.current?.("First");
  } else return false;
  return true;
}

function focusFilter(): boolean {
  if (filterField.current) filterField.current.focus();
  else {
    go("#/");
    requestAnimationFrame(() => filterField.current?.focus());
  }
  return true;
}

function toInbox(): boolean {
  inboxWanted.value = true;
  go("#/");
  return true;
}

const SCREENS: Record<string, () => string> = {
  b: () => "#/",
  h: () => historyHref(),
  c: () => compareHref(chosen.peek()),
};

function toScreen(key: string): boolean {
  const href = SCREENS[key]!();
  if (parse(href).screen === route.peek().screen) return false;
  go(href);
  return true;
}

function back(): boolean {
  if (route.peek().screen === "board") return false;
  go("#/");
  return true;
}

const keys = (): [string, string][] => [
  ["/", t("Filter or search sessions")],
  ["b  h  c", t("Board, history, compare")],
  ["a", t("To what needs you, the oldest first")],
  ["Space  →", t("There: show what is asked")],
  ["j  k  ↓  ↑", t("Move through the list")],
  ["Home  End", t("First, last")],
  ["Enter", t("Open what is selected, fold a group")],
  ["p  x", t("Pin, pick for comparison")],
  ["u  g  d", t("Unread alone, next grouping, denser rows")],
  ["f", t("Follow the timeline, or let it stand")],
  ["Esc", t("Back to the board, leave the filter")],
  ["?", t("This sheet")],
];

export function KeySheet() {
  const dialog = useRef<HTMLDialogElement>(null);
  const wanted = sheetOpen.value;
  useEffect(() => {
    if (wanted) dialog.current?.showModal();
    else dialog.current?.close();
  }, [wanted]);
  const closed = () => {
    sheetOpen.value = false;
  };
  return (
    <dialog
      ref={dialog}
      class="sheet"
      aria-labelledby="sheet-title"
      onClose={closed}
      onClick={(e) => e.target === e.currentTarget && closed()}
    >
      <h2 id="sheet-title">{t("Keyboard")}</h2>
      <dl>
        {keys().map(([keys, words]) => (
          <div key={keys}>
            <dt>
              {keys.split("  ").map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
      <button type="button" class="ghost" onClick={closed}>
        {t("Close")}
      </button>
    </dialog>
  );
}
