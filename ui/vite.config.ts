import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import { writeFileSync } from 'node:fs';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const outDir = at('../src/chimney/table/static');

/** `emptyOutDir` also removes the file that keeps the folder in the repository. */
const keepFolder = (): Plugin => ({
  name: 'keep-folder',
  closeBundle: () => writeFileSync(`${outDir}/.gitkeep`, ''),
});

export default defineConfig({
  plugins: [svelte(), keepFolder()],
  resolve: {
    alias: Object.fromEntries(
      ['wire', 'api', 'state', 'ui', 'views', 'format'].map((folder) => [
        `$${folder}`,
        at(`./src/${folder}`),
      ]),
    ),
  },
  build: {
    outDir,
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
  server: {
    port: 18150,
    strictPort: true,
    proxy: { '/api': process.env.CHIMNEY_TABLE ?? 'http://127.0.0.1:8700' },
  },
});
