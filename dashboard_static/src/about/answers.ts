/** What a worker tells of itself. Names are its own, untranslated. */

/** Each bucket has all that took at most so long; what took longer than the last is in `count` alone. */
export interface Distribution {
  buckets: [seconds: number, count: number][];
  count: number;
  sum_seconds: number;
}

export type Counts = Record<string, number>;

export interface About {
  worker: string;
  version: string | null;
  now: number;
  started_at: number;
  sessions: Counts;
  clients: Counts;
  subscriptions: number;
  watching: number;
  bus: { lag_entries: number | null; gaps: number; epoch_changes: number; poison: number };
  latency: Record<string, Distribution>;
  flush: Distribution;
  loop_lag: Distribution;
  conflated_updates: number;
  frames: Record<string, Counts>;
  sent_bytes: number;
  snapshots: Counts;
  evictions: Counts;
  closes: Counts;
  limits: Record<string, number | string | boolean | null>;
}

export interface Client {
  connection: string;
  client: string | null;
  state: string;
  rate_hz: number;
  subscriptions: string[];
  in_flight_bytes: number;
  last_write_at: number | null;
}
