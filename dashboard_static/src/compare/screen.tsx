/** Two to four sessions side by side. */

export function CompareScreen({ ids }: { ids: readonly string[] }) {
  return <main class="compare" data-testid="compare" data-count={ids.length} />;
}
