/** What the browser's tab says while nobody looks at the page: how many wait, and whether it is heard. */

import { effect } from "@preact/signals";
import { connection, screen } from "./hub";
import { items } from "./live";

export function startTabMark(): void {
  effect(() => {
    const count = screen.value === "app" ? items.value.length : 0;
    const title = count > 0 ? `(${count}) Agent Tower` : "Agent Tower";
    // Each setting goes to the browser's own process, also of what is there already.
    if (document.title !== title) document.title = title;
    const icon =
      screen.value === "app" && connection.value === "offline"
        ? "icon-offline.svg"
        : count > 0
          ? "icon-attention.svg"
          : "icon.svg";
    const link = document.querySelector<HTMLLinkElement>("link[rel=icon]");
    if (link && link.getAttribute("href") !== icon) link.setAttribute("href", icon);
  });
}
