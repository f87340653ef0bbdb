/** Which rows the person wants to see. Applied here to the rows held, and by the hub to the rest. */

import type { Sort, Status, Summary, View } from "../protocol";

/** What a row may be chosen by; of the host the hub's view knows nothing. */
export const FACTS = ["project", "agent", "user", "host"] as const;
export type Fact = (typeof FACTS)[number];

export interface Filter extends Partial<Record<Fact, string>> {
  text: string;
  status: readonly Status[];
  unread?: boolean;
  archived?: boolean;
}

export const noFilter: Filter = { text: "", status: [] };

/** Whether rows may be missing because of it. */
export function isFilter(filter: Filter): boolean {
  return (
    filter.text.trim() !== "" ||
    filter.status.length > 0 ||
    filter.unread === true ||
    FACTS.some((fact) => filter[fact] !== undefined)
  );
}

const wordsOf = (text: string): string[] => text.toLowerCase().split(/\s+/).filter(Boolean);

/** Every word has to be found somewhere in title, project, branch or id: the same as in the hub. */
export function matcher(
  filter: Filter,
  isUnread: (row: Summary) => boolean = () => false,
): (row: Summary) => boolean {
  const { status, unread, archived } = filter;
  const words = wordsOf(filter.text);
  const facts = FACTS.filter((fact) => filter[fact] !== undefined);
  return (row) =>
    (archived || !row.archived) &&
    (status.length === 0 || status.includes(row.status)) &&
    (!unread || isUnread(row)) &&
    facts.every((fact) => row[fact] === filter[fact]) &&
    words.every((word) => haystack(row).includes(word));
}

/** What a change must touch to change whether a row matches. */
export function matchedBy(filter: Filter): (keyof Summary)[] {
  const facts = FACTS.filter((fact) => filter[fact] !== undefined);
  return filter.text.trim() ? [...facts, "title", "project", "branch"] : facts;
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

export interface Wanted {
  filter: Filter;
  sort: Sort;
  pins: readonly string[];
  limit: number;
}

/** What to ask the hub for. With all rows here the filter is a matter of this page alone. */
export function viewOf({ filter, sort, pins, limit }: Wanted, complete: boolean): View {
  const view: View = { limit };
  if (filter.archived) view.archived = true;
  if (pins.length > 0) view.pinned = [...pins];
  if (sort !== "default") view.sort = sort;
  if (complete) return view;
  if (filter.status.length > 0) view.status = [...filter.status].sort();
  for (const fact of FACTS) {
    const value = filter[fact];
    if (fact !== "host" && value !== undefined && value.length <= TEXT_MAX) view[fact] = value;
  }
  const q = filter.text.trim().slice(0, TEXT_MAX);
  if (q) view.q = q;
  return view;
}

/** Whether the hub was asked to leave rows out: then a short answer says nothing of the rest. */
export const isNarrowed = ({ q, status, project, agent, user }: View): boolean =>
  [q, status, project, agent, user].some((each) => each !== undefined);
