/** The worker's own figures, on one page. */

export function AboutScreen() {
  return <main class="about" data-testid="about" />;
}
