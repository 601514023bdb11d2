/// <reference types="vitest/config" />
import { svelte } from '@sveltejs/vite-plugin-svelte'
import tailwindcss from '@tailwindcss/vite'
import { defineConfig } from 'vite'

// Relative assets: the app is served under any path; index.html's <base> is written by the server at run time.
export default defineConfig({
  base: './',
  plugins: [svelte(), tailwindcss()],
  build: {
    target: 'es2022',
    manifest: true,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rolldownOptions: { checks: { bundlerTimings: false } }, // how long plug-ins took is for whoever works on them
  },
  server: { proxy: { '/api': { target: 'http://localhost:8780', ws: true } } },
  test: { include: ['src/**/*.spec.ts', 'scripts/**/*.spec.mjs'] },
})
