import { Board } from "./board/board";
import { Tray } from "./compare/tray";
import { Forbidden } from "./forbidden";
import { Header } from "./header";
import { screen } from "./hub";
import { KeySheet } from "./keys";
import { Login } from "./login";
import { loaded } from "./live";
import { language } from "./messages";
import { route, type Route } from "./router";
import { AboutScreen, CompareScreen, HistoryScreen, SessionScreen } from "./screens";
import { Tabs } from "./session/tabs";
import { isLate } from "./startup";

export function App() {
  switch (screen.value) {
    case "loading":
      return <Blank />;
    case "login":
    case "expired":
      return <Login expired={screen.value === "expired"} />;
    case "forbidden":
      return <Forbidden />;
    case "app":
      return isReady() ? <Frame /> : <Blank />;
  }
}

/** The frame comes with the rows in it: one after the other would be painted twice. */
const isReady = (): boolean => loaded.value || isLate.value || route.value.screen !== "board";

const Blank = () => <div class="blank" aria-busy="true" />;

function Frame() {
  return (
    // Another language is another page: every word on it is drawn anew.
    <div key={language.value} class="frame">
      <Header />
      <Tabs />
      <Screen at={route.value} />
      <Tray />
      <KeySheet />
    </div>
  );
}

function Screen({ at }: { at: Route }) {
  switch (at.screen) {
    case "session":
      return <SessionScreen key={at.id} id={at.id} entry={at.entry} />;
    case "history":
      return <HistoryScreen query={at.query} />;
    case "compare":
      return <CompareScreen ids={at.ids} />;
    case "about":
      return <AboutScreen />;
    case "board":
      return <Board />;
  }
}
