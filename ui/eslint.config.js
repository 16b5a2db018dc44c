import ts from 'typescript-eslint';
import svelte from 'eslint-plugin-svelte';

// What a folder may not import. Order, low to high: wire, api, state, views.
// `ui` and `format` stand apart: they import nothing of ours.
const above = {
  wire: ['api', 'state', 'ui', 'views', 'format'],
  format: ['wire', 'api', 'state', 'ui', 'views'],
  api: ['state', 'ui', 'views'],
  ui: ['wire', 'api', 'state', 'views', 'format'],
  state: ['ui', 'views'],
};
const screens = [
  'overview',
  'logs',
  'signin',
  'cache',
  'deployments',
  'edge',
  'traces',
  'metrics',
  'pipelines',
  'wall',
  'settings',
];
const shared = ['frame', 'parts'];

const boundary = (folder, banned) => ({
  files: [`src/${folder}/**`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: banned.map((b) => ({
          group: [`$${b}`, `$${b}/**`, `**/${b}/**`],
          message: `${folder} may not import ${b}`,
        })),
      },
    ],
  },
});

const sources = ['**/*.ts', '**/*.svelte', '**/*.svelte.ts'];

export default [
  { ignores: ['node_modules/**', 'src/wire/api.ts'] },
  ...ts.configs.recommended,
  ...svelte.configs.recommended,
  {
    files: sources,
    languageOptions: { parserOptions: { parser: ts.parser } },
    // `tsc` knows the globals; the page is plain text only, and its router is its own.
    rules: {
      'no-undef': 'off',
      'svelte/no-at-html-tags': 'error',
      'svelte/no-navigation-without-resolve': 'off',
      // State is replaced whole (`$state.raw`); sets and dates are never changed in place.
      'svelte/prefer-svelte-reactivity': 'off',
    },
  },
  { files: ['**/*.svelte'], rules: { 'max-lines': ['error', { max: 300 }] } },
  { files: ['**/*.ts'], rules: { 'max-lines': ['error', { max: 250 }] } },
  ...Object.entries(above).map(([f, b]) => boundary(f, b)),
  ...[...screens, ...shared].map((s) =>
    boundary(
      `views/${s}`,
      screens.filter((o) => o !== s).map((o) => `views/${o}`),
    ),
  ),
];
