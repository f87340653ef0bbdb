/** What an edit takes away and puts there, line by line. No limit of lines makes it slow. */

export interface Line {
  sign: "+" | "-" | " ";
  text: string;
}

/** Beyond so many pairs of lines they are not matched: all that was goes, all that is new comes. */
const PAIRS_MAX = 250_000;

export function diff(before: string, after: string): Line[] {
  const old = linesOf(before);
  const fresh = linesOf(after);
  let head = 0;
  while (head < old.length && head < fresh.length && old[head] === fresh[head]) head++;
  let tail = 0;
  const most = Math.min(old.length, fresh.length) - head;
  while (tail < most && old.at(-1 - tail) === fresh.at(-1 - tail)) tail++;
  // Nothing but the ends of lines differs: as lines are shown, all of it goes and comes back.
  if (head === old.length && head === fresh.length && before !== after)
    return [...marked("-", old), ...marked("+", fresh)];
  return [
    ...marked(" ", old.slice(0, head)),
    ...changed(old.slice(head, old.length - tail), fresh.slice(head, fresh.length - tail)),
    ...marked(" ", old.slice(old.length - tail)),
  ];
}

/** A patch says itself what each of its lines does. */
export function patchLines(patch: string): Line[] {
  return linesOf(patch).map((text) =>
    text[0] === "+" || text[0] === "-" ? { sign: text[0], text: text.slice(1) } : { sign: " ", text },
  );
}

function linesOf(text: string): string[] {
  if (text === "") return [];
  const lines = text.split(/\r?\n/);
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines;
}

const marked = (sign: Line["sign"], lines: readonly string[]): Line[] => lines.map((text) => ({ sign, text }));

/** By the longest common subsequence; what goes stands before what comes in its place. */
function changed(old: readonly string[], fresh: readonly string[]): Line[] {
  if (old.length * fresh.length > PAIRS_MAX) return [...marked("-", old), ...marked("+", fresh)];
  const width = fresh.length + 1;
  const common = new Uint32Array((old.length + 1) * width);
  for (let i = old.length - 1; i >= 0; i--)
    for (let j = fresh.length - 1; j >= 0; j--)
      common[i * width + j] =
        old[i] === fresh[j]
          ? common[(i + 1) * width + j + 1]! + 1
          : Math.max(common[(i + 1) * width + j]!, common[i * width + j + 1]!);
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < fresh.length) {
    if (i < old.length && j < fresh.length && old[i] === fresh[j]) {
      lines.push({ sign: " ", text: old[i]! });
      i++;
      j++;
    } else if (j >= fresh.length || (i < old.length && common[(i + 1) * width + j]! >= common[i * width + j + 1]!))
      lines.push({ sign: "-", text: old[i++]! });
    else lines.push({ sign: "+", text: fresh[j++]! });
  }
  return lines;
}
