/**
 * What a person does to a session. The page shows it when the hub has told it, like everything else;
 * what is given back is only why it was not done, in words.
 */

import { act, sessionPath } from "../api";
import { t } from "../messages";
import { notify } from "../words";

export type Failure = string;

const ACCEPTED = 202;

async function done(method: string, path: string, body?: object): Promise<Failure> {
  const { status, words } = await act(method, path, body);
  if (status === ACCEPTED)
    notify({ level: "info", code: "act", message: t("It is noted and will show in a moment.") });
  return words;
}

export const change = (id: string, values: { title: string | null } | { budget_usd: number | null }): Promise<Failure> =>
  done("PATCH", sessionPath(id), values);

export const archive = (id: string, archived: boolean): Promise<Failure> =>
  done("POST", `${sessionPath(id)}/archive`, { archived });

export const end = (id: string): Promise<Failure> => done("POST", `${sessionPath(id)}/end`);

export const erase = (id: string): Promise<Failure> => done("DELETE", sessionPath(id));
