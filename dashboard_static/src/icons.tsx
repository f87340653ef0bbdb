/** Line icons, drawn here: 16 × 16, one stroke, the colour of the text around them. */

import type { AttentionKind, EntryKind } from "./protocol";

const PATHS = {
  prompt: "M2.5 4.5 6 8l-3.5 3.5M8 12h5.5",
  message: "M2.5 3.5h11v7h-6L4.5 13v-2.5h-2z",
  tool: "M9.5 2.6a3.6 3.6 0 0 0-3.3 4.9l-3.7 3.7 2.3 2.3 3.7-3.7a3.6 3.6 0 0 0 4.7-4.6L11 7.4 8.7 5.1l2.1-2.2a3.6 3.6 0 0 0-1.3-.3z",
  objective: "M3 8.5 6.5 12 13 4.5",
  tokens: "M8 2.5 13.5 5.5 8 8.5 2.5 5.5zM2.5 8.5 8 11.5l5.5-3M2.5 11 8 14l5.5-3",
  attention: "M8 2.5v7M8 12.6v.4",
  subagent: "M4 3v6.5a2 2 0 0 0 2 2h5M8.7 9l2.5 2.5L8.7 14M4 3h.01M13 5.5h-5",
  compaction: "M2.5 8h11M8 1.8v4M6 4l2 2 2-2M8 14.2v-4M6 12l2-2 2 2",
  error: "M8 2.3 14.2 13H1.8zM8 6.5v3M8 11.2v.3",
  session: "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zM8 5v3l2 1.5",
  permission: "M4 7.5h8V13H4zM5.5 7.5V5a2.5 2.5 0 0 1 5 0v2.5",
  question: "M5.5 5.5A2.5 2.5 0 1 1 8.8 8c-.6.3-.8.7-.8 1.5M8 12v.4",
  plan: "M3.5 2.5h9v11h-9zM6 6h4M6 8.5h4M6 11h2",
  failure: "M4 4l8 8M12 4l-8 8",
  budget:
    "M8 2v12M11 4.8C10.5 4 9.5 3.6 8 3.6c-1.8 0-3 .8-3 2.1C5 8.8 11.2 7 11.2 10.2c0 1.4-1.3 2.2-3.2 2.2-1.6 0-2.8-.5-3.3-1.5",
  back: "M9.5 3.5 5 8l4.5 4.5",
  close: "M4.5 4.5l7 7M11.5 4.5l-7 7",
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.5 10.5 14 14",
  down: "M8 3v10M4 9l4 4 4-4",
  more: "M3.2 8h.01M8 8h.01M12.8 8h.01",
  chevron: "M6 4l4 4-4 4",
  settings: "M2.5 4.5h6M12 4.5h1.5M2.5 11.5H4M7.5 11.5h6M10.2 2.8a1.7 1.7 0 1 0 0 3.4 1.7 1.7 0 0 0 0-3.4zM5.8 9.8a1.7 1.7 0 1 0 0 3.4 1.7 1.7 0 0 0 0-3.4z",
  pin: "M6 2.5h4M6.7 2.5v4L4.5 9h7L9.3 6.5v-4M8 9v4.5",
  compare: "M2.5 3.5h4.2v9H2.5zM9.3 3.5h4.2v9H9.3z",
  view: "M2.5 4.5h11M4.5 8h7M6.5 11.5h3",
  tower: "M8 5v8.5M5.5 13.5h5M5.3 7a3.6 3.6 0 0 1 0-4.5M10.7 7a3.6 3.6 0 0 0 0-4.5M8 4.8h.01",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName | EntryKind | AttentionKind }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name] ?? PATHS.session} />
    </svg>
  );
}
