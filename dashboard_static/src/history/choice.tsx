interface Props {
  name: string;
  words: string;
  all: string;
  value: string | undefined;
  known: (string | null)[];
  names?: Record<string, string>;
  choose: (value: string) => void;
}

/** One of the values that are known of; what the address names is among them, known or not. */
export function Choice({ name, words, all, value, known, names, choose }: Props) {
  const values = [...new Set([value, ...known])].filter((each): each is string => Boolean(each));
  if (!names) values.sort((a, b) => a.localeCompare(b));
  return (
    <label class="history-choice">
      <span class="hidden">{words}</span>
      <select
        value={value ?? ""}
        data-chosen={value !== undefined}
        data-testid={`choice-${name}`}
        onChange={(event) => choose(event.currentTarget.value)}
      >
        <option value="">{all}</option>
        {values.map((each) => (
          <option key={each} value={each}>
            {names?.[each] ?? each}
          </option>
        ))}
      </select>
    </label>
  );
}
