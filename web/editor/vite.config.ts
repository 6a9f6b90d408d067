import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// `patchbay serve` shows what lies in web/static; in development its API is asked for what is not a source file.
export default defineConfig({
  plugins: [react()],
  base: "/static/",
  publicDir: "public",
  build: {
    outDir: "../static",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    target: "es2022",
  },
  server: { proxy: { "/api": { target: "http://127.0.0.1:8188", ws: true, changeOrigin: true } } },
});
