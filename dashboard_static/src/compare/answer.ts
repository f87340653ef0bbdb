/** What the API answers of several sessions side by side. Names are its own, untranslated. */

import type { Detail, Summary } from "../protocol";

export interface Compared
  extends Summary, Pick<Detail, "models" | "tools" | "objectives_list" | "token_series"> {
  errors: number;
}

export const LETTERS = ["A", "B", "C", "D"] as const;
