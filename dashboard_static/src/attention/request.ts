/**
 * What a request asks, read out of what the agent's tool is to be called with. Every parameter is
 * kept: what has no place of its own goes to `rest`, for nothing that is asked may be hidden.
 */

import { unturned } from "../format";
import { diff, patchLines, type Line } from "./diff";

export type Pair = readonly [name: string, value: string];

export interface Question {
  question: string;
  header: string;
  several: boolean;
  options: { label: string; description: string; rest: Pair[] }[];
  rest: Pair[];
}

interface Request {
  /** A sentence of the agent's about it. */
  description?: string;
  command?: string;
  file?: string;
  /** One list of lines for every edit of the file. */
  edits?: Line[][];
  questions?: Question[];
  plan?: string;
  rest: Pair[];
}

type Fields = Record<string, unknown>;

export function readRequest(told: unknown): Request {
  if (!isFields(told)) return { rest: told == null ? [] : [["", shownValue(told)]] };
  const left = { ...told };
  const take = (name: string): string | undefined => {
    const value = left[name];
    if (typeof value !== "string") return undefined;
    delete left[name];
    return value;
  };
  const request: Request = { rest: [] };
  const questions = readQuestions(left.questions);
  const patch = ["input", "patch"].find((name) => isPatch(left[name]));
  if (questions) {
    request.questions = questions;
    delete left.questions;
  } else if ("command" in left || "cmd" in left) readCommand(left, take, request);
  else if (patch) request.edits = [patchLines(take(patch)!)];
  else if (hasEdits(left)) readEdits(left, take, request);
  else if (typeof left.plan === "string") request.plan = take("plan");
  request.rest = pairs(left);
  return request;
}

/** JSON that was cut somewhere, closed where it ends; undefined where that makes no sense of it. */
export function readCut(json: string): unknown {
  const ends: string[] = [];
  let inText = false;
  let at = 0;
  for (; at < json.length; at++) {
    const sign = json[at]!;
    if (inText && sign === "\\") {
      const length = json[at + 1] === "u" ? 6 : 2;
      if (at + length > json.length) break;
      at += length - 1;
    } else if (sign === '"') inText = !inText;
    else if (inText) continue;
    else if (sign === "{" || sign === "[") ends.push(sign === "{" ? "}" : "]");
    else if (sign === "}" || sign === "]") ends.pop();
  }
  try {
    return JSON.parse(json.slice(0, at) + (inText ? '"' : "") + ends.reverse().join(""));
  } catch {
    return undefined;
  }
}

function readCommand(left: Fields, take: (name: string) => string | undefined, request: Request): void {
  const name = "command" in left ? "command" : "cmd";
  const told = left[name];
  if (Array.isArray(told) && told.every((word) => typeof word === "string")) {
    delete left[name];
    const last: unknown = told.at(-1);
    if (isPatch(last)) request.edits = [patchLines(last)];
    else request.command = told.map(quoted).join(" ");
  } else request.command = take(name);
  request.description = take("description");
}

/** As a shell would have to be given the word. */
const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

const isPatch = (value: unknown): value is string =>
  typeof value === "string" && value.startsWith("*** Begin Patch");

/** Where a request was cut, the name of the file may be what is missing. */
const hasEdits = (left: Fields): boolean =>
  "file_path" in left || "notebook_path" in left
    ? ["new_string", "old_string", "edits", "content", "new_source"].some((name) => name in left)
    : "old_string" in left || Object.keys(left).join() === "content";

function readEdits(left: Fields, take: (name: string) => string | undefined, request: Request): void {
  request.file = take("file_path") ?? take("notebook_path");
  if (Array.isArray(left.edits) && left.edits.every(isEdit)) {
    request.edits = left.edits.map(editOf);
    // What else an edit says, such as that it is made everywhere.
    const more = left.edits.map(({ old_string: _old, new_string: _new, ...others }) => others);
    delete left.edits;
    if (more.some((each) => Object.keys(each).length > 0)) left.edits = more;
    return;
  }
  const fresh = take("new_string") ?? take("content") ?? take("new_source");
  request.edits = [editOf({ old_string: take("old_string"), new_string: fresh })];
}

const isEdit = (told: unknown): told is Fields =>
  isFields(told) && typeof told.old_string === "string" && typeof told.new_string === "string";

const editOf = ({ old_string, new_string }: Fields): Line[] => diff(textOf(old_string), textOf(new_string));

function readQuestions(told: unknown): Question[] | undefined {
  if (!Array.isArray(told) || told.length === 0 || !told.every(isQuestion)) return undefined;
  return told.map(({ question, header, multiSelect, options, ...others }) => ({
    question: question as string,
    header: textOf(header),
    several: multiSelect === true,
    options: ((options ?? []) as Fields[]).map(({ label, description, ...more }) => ({
      label: textOf(label),
      description: textOf(description),
      rest: pairs(more),
    })),
    rest: pairs(others),
  }));
}

const isQuestion = (told: unknown): told is Fields =>
  isFields(told) &&
  typeof told.question === "string" &&
  (told.options === undefined || (Array.isArray(told.options) && told.options.every(isFields)));

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const pairs = (left: Fields): Pair[] => Object.entries(left).map(([name, value]) => [name, shownValue(value)]);

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

const shownValue = (value: unknown): string =>
  typeof value === "string" ? value : JSON.stringify(value, null, 2);

/** Signs that nobody sees are shown as what they are, like those that turn what is read. */
export const plain = (text: string): string =>
  unturned(text).replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b\u2028\u2029\u2060-\u206f\ufeff]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
