/** What narrows a list, on the board and in history alike. */

import type { ReadonlySignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { statusWord } from "./format";
import { Icon } from "./icons";
import { filterField } from "./keys";
import type { Status } from "./protocol";

interface FieldProps {
  words: string;
  placeholder: string;
  testid: string;
  text: string | ReadonlySignal<string>;
  typed: (text: string) => void;
  done?: () => void;
}

/** The field that `/` leads to. */
export function FilterField({ words, placeholder, testid, text, typed, done }: FieldProps) {
  return (
    <label class="filter-field">
      <Icon name="search" />
      <span class="hidden">{words}</span>
      <input
        ref={(element) => {
          filterField.current = element;
        }}
        type="search"
        value={text}
        placeholder={placeholder}
        autocomplete="off"
        spellcheck={false}
        maxLength={1000}
        data-testid={testid}
        onInput={(event) => typed(event.currentTarget.value)}
        onChange={done}
      />
      <kbd aria-hidden="true">/</kbd>
    </label>
  );
}

interface ChipProps {
  status: Status;
  pressed: boolean;
  toggle: () => void;
  children?: ComponentChildren;
}

export function StatusChip({ status, pressed, toggle, children }: ChipProps) {
  return (
    <button
      type="button"
      class="chip"
      data-status={status}
      aria-pressed={pressed}
      data-testid={`chip-${status}`}
      onClick={toggle}
    >
      <span class="dot" aria-hidden="true" />
      {statusWord(status)}
      {children}
    </button>
  );
}
