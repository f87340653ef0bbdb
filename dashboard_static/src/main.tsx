import { effect } from "@preact/signals";
import { render } from "preact";
import { login } from "./api";
import { App } from "./app";
import { startClock } from "./clock";
import { enter, startHub } from "./hub";
import { startKeys } from "./keys";
import { items } from "./live";
import { codeRefused } from "./login";
import { startRouter, takeCode } from "./router";
import "./styles/theme.css";
import "./styles/frame.css";
import "./styles/board.css";
import "./styles/list.css";
import "./styles/session.css";
import "./styles/panels.css";
import "./styles/timeline.css";
import "./styles/history.css";
import "./styles/narrow.css";

async function begin(code: string | null): Promise<void> {
  if (code) {
    const { status, words } = await login({ code });
    // A link opened a second time is no matter where its cookie still holds: entering decides.
    if (status !== 204) codeRefused.value = words;
  }
  await enter();
}

const code = takeCode();
startRouter();
startClock();
startHub();
startKeys();
effect(() => {
  const count = items.value.length;
  document.title = count > 0 ? `(${count}) Agent Tower` : "Agent Tower";
});
void begin(code);
render(<App />, document.getElementById("app")!);
