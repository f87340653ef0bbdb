import { useSignal } from "@preact/signals";
import { FilterField, StatusChip } from "../filter_parts";
import { filter, rowCount, shown, totals } from "../live";
import type { Status } from "../protocol";
import { more, showMore } from "../view";
import { isFilter, noFilter, type Filter } from "./filter";

const CHIPS: Status[] = ["waiting", "failed", "running", "stale", "idle", "ended"];

function set(next: Filter): void {
  filter.value = isFilter(next) || next.text !== "" ? next : noFilter;
}

export function FilterBar() {
  const { text, status } = filter.value;
  return (
    <div class="filter-bar" role="search">
      <FilterField
        words="Filter sessions"
        placeholder="Title, project, branch"
        testid="filter"
        text={text}
        typed={(text) => set({ text, status })}
      />
      <div class="chips" role="group" aria-label="Status">
        {CHIPS.map((each) => (
          <Chip key={each} status={each} pressed={status.includes(each)} />
        ))}
      </div>
      <Shown />
    </div>
  );
}

function Chip({ status, pressed }: { status: Status; pressed: boolean }) {
  const toggle = () => {
    const { text, status: chosen } = filter.peek();
    set({ text, status: pressed ? chosen.filter((each) => each !== status) : [...chosen, status] });
  };
  // A status that nobody has may be absent from the totals.
  const count = totals.value && (totals.value.status[status] ?? 0);
  return (
    <StatusChip status={status} pressed={pressed} toggle={toggle}>
      <span class="chip-count">{count ?? ""}</span>
    </StatusChip>
  );
}

/** Says how much of everything is in the list, so that a filter or a limit hides nothing silently. */
function Shown() {
  const announced = useSignal("");
  const all = Math.max(totals.value?.sessions ?? 0, rowCount.value);
  const words = `${shown.value.length} of ${all}`;
  if (announced.peek() !== words) announced.value = words;
  return (
    <span class="shown" data-testid="shown">
      {more.value ? (
        <button type="button" class="ghost" onClick={showMore} title="Load more sessions">
          {words} · more
        </button>
      ) : (
        words
      )}
    </span>
  );
}
