/** One log record; `kind` is `log`, or `gap` and `restart` for marks in the stream. `id` is the paging cursor. */
export interface LogRow {
  id: number;
  ts: string;
  level: string;
  source: string;
  message: string;
  logger: string;
  kind?: string;
  origin_id?: number | null;
  request_id?: string | null;
  trace_id?: string | null;
  fields?: Record<string, unknown>;
}

/** Records in [at, at + width) by level. */
export interface HistogramBucket {
  at: string;
  counts: Record<string, number>;
}

export interface Histogram {
  width_seconds: number;
  buckets: HistogramBucket[];
}
