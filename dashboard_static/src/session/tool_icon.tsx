/** A picture for each kind of tool. Agents name their tools as they like: it goes by the name's words. */

const PATHS = {
  terminal: "M2.5 3h11v10h-11zM5 6l2 2-2 2M8.5 10.5H11",
  read: "M4 2.5h5.5L12 5v8.5H4zM6 7h4M6 9.5h4",
  write: "M3 13l.6-2.6 7.2-7.2 2 2L5.6 12.4zM9.5 4.5l2 2",
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.5 10.5 14 14",
  web: "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zM2.5 8h11M8 2.5c-4 3.5-4 7.5 0 11M8 2.5c4 3.5 4 7.5 0 11",
  agent: "M4 3v6.5a2 2 0 0 0 2 2h5M8.7 9l2.5 2.5L8.7 14M4 3h.01M13 5.5h-5",
  todo: "M2.5 4 4 5.5 6 3M2.5 10.5 4 12l2-2.5M8.5 4.5h5M8.5 11h5",
  plug: "M5.5 2.5v3M10.5 2.5v3M3.5 5.5h9V8a4.5 4.5 0 0 1-9 0zM8 12.5v1.5",
  question: "M5.5 5.5A2.5 2.5 0 1 1 8.8 8c-.6.3-.8.7-.8 1.5M8 12v.4",
  other: "M9.5 2.6a3.6 3.6 0 0 0-3.3 4.9l-3.7 3.7 2.3 2.3 3.7-3.7a3.6 3.6 0 0 0 4.7-4.6L11 7.4 8.7 5.1l2.1-2.2a3.6 3.6 0 0 0-1.3-.3z",
} as const;

type ToolKind = keyof typeof PATHS;

/** The first that fits counts: a server's tools are its own, whatever they are called. */
const KINDS: readonly [ToolKind, RegExp][] = [
  ["plug", /^mcp_|__/],
  ["todo", /todo|plan|^task(create|update|list|get)/i],
  ["agent", /agent|^task/i],
  ["question", /ask|question/i],
  ["web", /web|fetch|browser|http|url/i],
  ["search", /grep|glob|search|find|^ls$|^list/i],
  ["write", /edit|write|patch|notebook/i],
  ["terminal", /bash|shell|exec|terminal|command|stdin/i],
  ["read", /read|view|open|cat/i],
];

function toolKind(name: string): ToolKind {
  return KINDS.find(([, words]) => words.test(name))?.[0] ?? "other";
}

export function ToolIcon({ tool }: { tool: string }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[toolKind(tool)]} />
    </svg>
  );
}
