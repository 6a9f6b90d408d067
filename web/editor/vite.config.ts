import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** In development a running server is asked for what is not a source file. */
const served = "http://127.0.0.1:8188";

// The server refuses what another page sends, so a request goes on under the server's own name.
const proxied = { target: served, ws: true, changeOrigin: true, headers: { origin: served } };

// `patchbay editor build` moves what is made here to web/static, from where `patchbay serve` shows it.
export default defineConfig({
  plugins: [react()],
  base: "/static/",
  publicDir: "public",
  build: {
    outDir: "dist",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    target: "es2022",
  },
  server: { proxy: { "/api": proxied, "/ready": proxied } },
});
