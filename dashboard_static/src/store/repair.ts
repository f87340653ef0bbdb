/** What has waited a whole round for its snapshot asks again; an answer on its way is left its time. */

import type { ClientFrame } from "../protocol";
import type { Model } from "../store";

const OVERVIEW = Symbol("overview");
const ATTENTION = Symbol("attention");

export class Repair {
  private before = new Set<string | symbol>();

  round(model: Model): ClientFrame[] {
    const waiting = new Set<string | symbol>();
    if (!model.overview.current && !model.overview.staging) waiting.add(OVERVIEW);
    if (!model.attention.current && !model.attention.staging) waiting.add(ATTENTION);
    for (const hold of model.holds.values()) {
      const settled = hold.quiet || hold.problem !== null || hold.staging !== null;
      if (!settled && (hold.stale !== null || hold.unconfirmed)) waiting.add(hold.session);
    }
    const again = [...waiting].filter((each) => this.before.has(each));
    this.before = waiting;
    return again.map((each) => ask(each, model.active));
  }
}

function ask(waiting: string | symbol, active: string | null): ClientFrame {
  if (waiting === OVERVIEW) return { type: "resync", scope: "overview", reason: "late" };
  if (typeof waiting === "symbol") return { type: "resync", scope: "attention", reason: "late" };
  return { type: "subscribe", session: waiting, activate: waiting === active };
}
