import "./style/fonts.css";
import "./style/tokens.css";
import "./style/base.css";
import "./style/layout.css";
import "./style/controls.css";
import "./style/map.css";
import "./style/rail.css";
import "./style/station.css";
import "./style/time.css";

import { createRoot } from "react-dom/client";

import { App } from "./App";
import { follow, light, load, signInByAddress } from "./state/actions";
import { hasThemeChoice } from "./state/app";

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => {
  if (!hasThemeChoice()) light(event.matches ? "dark" : "light", false);
});

createRoot(document.getElementById("page")!).render(<App />);

void signInByAddress().then(load).then(() => follow());
