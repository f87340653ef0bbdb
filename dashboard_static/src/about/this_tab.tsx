/** The connection of the page that is looked at. */

import { Ago } from "../ago";
import { byHub, now } from "../clock";
import { bytes, exact, unknown } from "../format";
import { link } from "../hub";
import { t } from "../messages";
import { received } from "../received";
import { Fact } from "./screen";

export function ThisTab() {
  // Looked at once a second: counting must not make the page work.
  now.value;
  const { phase, heard_at } = link.value;
  return (
    <dl class="panel about-facts" data-testid="this-tab" aria-label={t("This tab")}>
      <Fact name="connection" words={t("This tab's connection")}>
        <code>{phase === "open" ? received.connection || unknown() : t("none")}</code>
      </Fact>
      <Fact name="tab-worker" words={t("at worker")}>
        <code>{received.worker || unknown()}</code>
      </Fact>
      <Fact name="heartbeat" words={t("Last heartbeat")}>
        {heard_at === null ? t("none") : <Ago at={byHub(heard_at)} />}
      </Fact>
      <Fact name="frames" words={t("Frames received")}>
        {exact(received.frames)}
      </Fact>
      <Fact name="acked" words={t("of these acknowledged")}>
        {exact(received.acked)}
      </Fact>
      <Fact name="received" words={t("Text received, unpacked")}>
        {bytes(received.chars)}
      </Fact>
    </dl>
  );
}
