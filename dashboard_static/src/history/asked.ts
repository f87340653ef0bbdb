/** What is asked of history. It stands in the address by the API's own names, so that a link asks the same. */

export const NAMES = [
  "q",
  "status",
  "agent",
  "project",
  "user",
  "since",
  "until",
  "archived",
  "sort",
] as const;

export type Name = (typeof NAMES)[number];
export type Asked = Partial<Record<Name, string>>;

/** Out of the part of an address behind the `?`. Whether a value makes sense, the API says. */
export function askedOf(query: string): Asked {
  const told = new URLSearchParams(query);
  const asked: Asked = {};
  for (const name of NAMES) {
    const value = told.get(name)?.trim();
    if (value) asked[name] = value;
  }
  return asked;
}

/** Always in the same order, so that the same question is the same text. */
export function queryOf(asked: Asked, more: Record<string, string> = {}): string {
  const told = new URLSearchParams();
  for (const name of NAMES) {
    const value = asked[name]?.trim();
    if (value) told.set(name, value);
  }
  for (const [name, value] of Object.entries(more)) told.set(name, value);
  return told.toString();
}

export const sessionsPath = (query: string, more: Record<string, string>): string =>
  `api/sessions?${queryOf(askedOf(query), more)}`;
export const usagePath = (by: string, { since, until }: Asked): string =>
  `api/usage?${queryOf({ since, until }, { by })}`;
export const exportPath = (asked: Asked, format: string): string =>
  `api/export?${queryOf(asked, { format })}`;
/** The API takes names with commas in between, so that one with a comma cannot be told. */
export const isAskable = (id: string): boolean => !id.includes(",");
export const namedPath = (ids: readonly string[], format: string): string | null =>
  ids.every(isAskable) ? `api/export?${new URLSearchParams({ format, ids: ids.join(",") })}` : null;
export const reportPath = (id: string): string | null => namedPath([id], "html");
