import { effect } from "@preact/signals";
import { render } from "preact";
import { login } from "./api";
import { App } from "./app";
import { startAlertsIfWanted } from "./attention/alert_choices";
import { followActivity } from "./board/activity";
import { startClock } from "./clock";
import { connection, enter, link, startHub, wake } from "./hub";
import { startKeys } from "./keys";
import { model } from "./live";
import { codeRefused } from "./login";
import { chosenLanguage, languageOf, speak } from "./messages";
import { followOtherTabs } from "./preferences";
import { startRouter, takeCode } from "./router";
import { fetchAhead } from "./screens";
import { isDrawn, startUp } from "./startup";
import { startTabMark } from "./tab_mark";
import { startTheme } from "./theme";
import { startUnread } from "./unread";
import "./styles/theme.css";
import "./styles/frame.css";
import "./styles/header.css";
import "./styles/tabs.css";
import "./styles/notices.css";
import "./styles/gate.css";
import "./styles/board.css";
import "./styles/filter.css";
import "./styles/list.css";
import "./styles/row.css";
import "./styles/session.css";
import "./styles/metrics.css";
import "./styles/panels.css";
import "./styles/timeline.css";
import "./styles/history.css";
import "./styles/attention.css";
import "./styles/compare.css";
import "./styles/about.css";
import "./styles/menu.css";
import "./styles/narrow.css";
import "./styles/print.css";
import "./styles/session_print.css";

async function begin(code: string | null): Promise<void> {
  if (code) {
    const { status, words } = await login({ code });
    // A link opened a second time is no matter where its cookie still holds: entering decides.
    if (status !== 204) codeRefused.value = words;
  }
  await enter();
}

const code = takeCode();
// A new link in a tab that is open already: only the part behind the # changes.
addEventListener("hashchange", () => {
  const another = takeCode();
  if (another) void begin(another);
});
startTheme();
startRouter();
startClock(wake);
startHub();
startKeys();
followOtherTabs();
startUp();
startTabMark();
startAlertsIfWanted();
startUnread((id) => model.overview.rows.get(id)?.status_since);
// The rows come first, and then what they did and what may be opened.
effect(() => {
  if (isDrawn.value) fetchAhead();
});
followActivity(() => isDrawn.value && (link.value.phase === "open" || connection.value === "polling"));
void begin(code);
// The socket is opened meanwhile; nothing is shown in a language that is about to change.
void speak(languageOf(chosenLanguage.peek(), navigator.languages)).then(() => {
  render(<App />, document.getElementById("app")!);
  chosenLanguage.subscribe((chosen) => void speak(languageOf(chosen, navigator.languages)));
});
