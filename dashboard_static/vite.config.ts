import { readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

/** Beside each file the same in small, so that no server has to compress while a page waits. */
const gzipped: Plugin = {
  name: "gzipped",
  apply: "build",
  writeBundle({ dir }, bundle) {
    const names = Object.keys(bundle).filter((name) => /\.(js|css|json)$/.test(name));
    for (const path of names.map((name) => `${dir}/${name}`))
      writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
  },
};

export default defineConfig({
  base: "./",
  plugins: [gzipped],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    // light-dark() and nesting are left as written for these.
    target: ["chrome123", "firefox121", "safari17.5"],
    // The page is served under a strict CSP: no data: URLs, no inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: {
      "/api": "http://127.0.0.1:8787",
      "/login": "http://127.0.0.1:8787",
      "/ws": { target: "ws://127.0.0.1:8787", ws: true },
    },
  },
});
