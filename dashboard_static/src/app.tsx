import { Board } from "./board/board";
import { Forbidden } from "./forbidden";
import { Header } from "./header";
import { HistoryDoor } from "./history/door";
import { screen } from "./hub";
import { KeySheet } from "./keys";
import { Login } from "./login";
import { route, type Route } from "./router";
import { SessionPage } from "./session/page";
import { Tabs } from "./session/tabs";

export function App() {
  switch (screen.value) {
    case "loading":
      return <div class="blank" aria-busy="true" />;
    case "login":
    case "expired":
      return <Login expired={screen.value === "expired"} />;
    case "forbidden":
      return <Forbidden />;
    case "app":
      return <Frame />;
  }
}

function Frame() {
  const at = route.value;
  return (
    <div class="frame">
      <Header />
      <Tabs />
      <Screen at={at} />
      <KeySheet />
    </div>
  );
}

function Screen({ at }: { at: Route }) {
  if (at.screen === "session") return <SessionPage key={at.id} id={at.id} />;
  return at.screen === "history" ? <HistoryDoor query={at.query} /> : <Board />;
}
