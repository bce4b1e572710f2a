import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

import { licences } from "./licences";

/** The address of a running twin, for `npm run dev`. */
const twin = process.env.LIUYU_TWIN ?? "http://127.0.0.1:8765";

export default defineConfig({
  base: "./", // the page may live under any path of a proxy
  plugins: [react(), licences()],
  build: {
    outDir: process.env.LIUYU_STATIC ?? "../src/liuyu/web/static",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    target: "es2022",
    chunkSizeWarningLimit: 1600,
    rolldownOptions: {
      output: {
        advancedChunks: {
          groups: [
            { name: "map", test: /node_modules[\\/](maplibre-gl|@maplibre|@mapbox)/ },
            { name: "react", test: /node_modules[\\/](react|react-dom|scheduler)/ },
          ],
        },
      },
    },
  },
  server: {
    proxy: { "/api": twin, "/tiles": twin, "/sta": twin },
  },
});
