import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "./theme.css";
import "./app.css";
import { App } from "./App";
import { listenToKeys } from "./keys";
import { registerGlobalCommands } from "./state/globalCommands";
import { applyPreferences } from "./state/preferences";
import { startSession } from "./state/session";

const root = document.getElementById("root");
if (root === null) {
  throw new Error("The page has no element #root.");
}
applyPreferences();
registerGlobalCommands();
listenToKeys();
startSession();
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
