/** Puts the licences of everything that the page brings along beside it, in one file. */

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

interface Locked {
  version?: string;
  license?: string;
  dev?: boolean;
}

export function licences(): Plugin {
  return {
    name: "licences",
    apply: "build",
    generateBundle() {
      const lock = JSON.parse(readFileSync("package-lock.json", "utf-8")) as { packages: Record<string, Locked> };
      const parts = Object.entries(lock.packages)
        .filter(([folder, each]) => folder && !each.dev && existsSync(folder))
        .map(([folder, each]) => {
          const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
          const text = file ? readFileSync(join(folder, file), "utf-8").trim() : "";
          return `${folder.replace(/^.*node_modules\//, "")} ${each.version ?? ""} (${each.license ?? "see its source"})\n\n${text}`;
        });
      this.emitFile({ type: "asset", fileName: "licences.txt", source: parts.join("\n\n" + "-".repeat(80) + "\n\n") });
    },
  };
}
