import type { ComponentChildren } from "preact";

interface Props {
  title: string;
  testid: string;
  aside?: ComponentChildren;
  empty?: string | false;
  children?: ComponentChildren;
}

export function Panel({ title, testid, aside, empty, children }: Props) {
  return (
    <section class="panel" data-testid={testid} aria-label={title}>
      <header class="panel-head">
        <h2>{title}</h2>
        <span class="panel-aside">{aside}</span>
      </header>
      {empty ? <p class="empty small">{empty}</p> : children}
    </section>
  );
}
