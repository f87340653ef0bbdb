/** What a row is called in the page: an id may hold any sign, a name there no space. */

export const rowId = (id: string): string =>
  `row-${id.replace(/[^a-z0-9-]/gi, (sign) => `_${sign.charCodeAt(0).toString(16)}_`)}`;
