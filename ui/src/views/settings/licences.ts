/** What chimney is made with, and under which terms. */
export const PARTS = [
  { name: 'Granian', licence: 'BSD-3-Clause' },
  { name: 'Litestar', licence: 'MIT' },
  { name: 'msgspec', licence: 'BSD-3-Clause' },
  { name: 'SQLite', licence: 'public domain' },
  { name: 'DuckDB', licence: 'MIT' },
  { name: 'Zstandard', licence: 'BSD-3-Clause' },
  { name: 'OpenTelemetry', licence: 'Apache-2.0' },
  { name: 'Prometheus client', licence: 'Apache-2.0' },
  { name: 'Pydantic', licence: 'MIT' },
  { name: 'Svelte', licence: 'MIT' },
] as const;
