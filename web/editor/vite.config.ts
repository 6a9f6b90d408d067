import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// `patchbay editor build` moves what is made here to web/static, from where `patchbay serve` shows it. In development the
// API of a running server is asked for what is not a source file.
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
  server: { proxy: { "/api": { target: "http://127.0.0.1:8188", ws: true, changeOrigin: true } } },
});
