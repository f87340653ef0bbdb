import { Board } from "./board/board";
import { Forbidden } from "./forbidden";
import { Header } from "./header";
import { screen } from "./hub";
import { KeySheet } from "./keys";
import { Login } from "./login";
import { route } from "./router";
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
      {at.screen === "session" ? <SessionPage key={at.id} id={at.id} /> : <Board />}
      <KeySheet />
    </div>
  );
}
