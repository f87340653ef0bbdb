/** Which rows the person wants to see. Applied here to the rows held, and by the hub to the rest. */

import type { Status, Summary, View } from "../protocol";

export interface Filter {
  text: string;
  status: readonly Status[];
}

export const noFilter: Filter = { text: "", status: [] };

export function isFilter(filter: Filter): boolean {
  return filter.text.trim() !== "" || filter.status.length > 0;
}

/** Every word has to be found somewhere in title, project, branch or id: the same as in the hub. */
export function matcher({ text, status }: Filter): (row: Summary) => boolean {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return (row) =>
    (status.length === 0 || status.includes(row.status)) &&
    words.every((word) => haystack(row).includes(word));
}

const haystacks = new WeakMap<Summary, string>();

function haystack(row: Summary): string {
  let text = haystacks.get(row);
  if (text === undefined) {
    text = [row.title, row.project, row.branch, row.id].filter(Boolean).join("\n").toLowerCase();
    haystacks.set(row, text);
  }
  return text;
}

/** The hub refuses longer ones. */
const TEXT_MAX = 200;

/** What to ask the hub for. With all rows here the filter is a matter of this page alone. */
export function viewOf(filter: Filter, limit: number, complete: boolean): View {
  const view: View = { limit };
  if (complete) return view;
  if (filter.status.length > 0) view.status = [...filter.status].sort();
  const q = filter.text.trim().slice(0, TEXT_MAX);
  if (q) view.q = q;
  return view;
}
