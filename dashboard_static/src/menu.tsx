/** What is chosen once and seldom: theme, language, alerts, and the way to the hub's own figures. */

import { signal, type ReadonlySignal, type Signal } from "@preact/signals";
import { door } from "./door";
import { me, signOut } from "./hub";
import { Icon } from "./icons";
import { sheetOpen } from "./keys";
import { chosenLanguage, LANGUAGES, nameOfLanguage, t } from "./messages";
import { theme, THEMES, type Theme } from "./theme";

const PANEL = "menu-panel";
const isOpen = signal(false);

const AlertChoices = door(async () => (await import("./attention/alerts_menu")).AlertChoices, "div");

export function Menu() {
  return (
    <>
      <button
        type="button"
        class="ghost menu-button"
        popovertarget={PANEL}
        aria-label={t("Settings")}
        title={t("Settings")}
        data-testid="menu"
      >
        <Icon name="settings" />
      </button>
      <div
        id={PANEL}
        class="menu"
        popover="auto"
        role="group"
        aria-label={t("Settings")}
        data-testid="menu-panel"
        onToggle={(event) => (isOpen.value = event.newState === "open")}
      >
        <Choice
          words={t("Theme")}
          name="theme"
          value={theme}
          options={THEMES.map((each) => [each, themeWords(each)])}
        />
        <Choice
          words={t("Language")}
          name="language"
          value={chosenLanguage}
          options={[["", t("the browser's")], ...LANGUAGES.map((code) => [code, nameOfLanguage(code)] as const)]}
        />
        {isOpen.value && <AlertChoices />}
        <Links />
      </div>
    </>
  );
}

function Links() {
  return (
    <p class="menu-links">
      <a class="ghost" href="#/about" onClick={close}>
        {t("About the hub")}
      </a>
      <button
        type="button"
        class="ghost"
        onClick={() => {
          close();
          sheetOpen.value = true;
        }}
      >
        {t("Keyboard shortcuts")} <kbd>?</kbd>
      </button>
      {me.value?.auth && (
        <button type="button" class="ghost" data-testid="sign-out" onClick={() => void signOut()}>
          {t("Sign out")}
        </button>
      )}
    </p>
  );
}

const close = () => document.getElementById(PANEL)?.hidePopover();

function themeWords(theme: Theme): string {
  return { system: t("the system's"), light: t("light"), dark: t("dark") }[theme];
}

interface ChoiceProps<T extends string> {
  words: string;
  name: string;
  value: Signal<T>;
  options: readonly (readonly [T, string])[];
}

/** One of several, kept in a signal. */
export function Choice<T extends string>({ value, ...others }: ChoiceProps<T>) {
  return <Select {...others} value={value.value} choose={(told) => (value.value = told)} />;
}

interface SelectProps<T extends string> extends Omit<ChoiceProps<T>, "value"> {
  value: T;
  choose: (told: T) => void;
}

export function Select<T extends string>({ words, name, value, options, choose }: SelectProps<T>) {
  return (
    <label class="menu-line">
      {words}
      <select
        value={value}
        data-testid={`menu-${name}`}
        onChange={(event) => choose(event.currentTarget.value as T)}
      >
        {options.map(([each, words]) => (
          <option key={each} value={each}>
            {words}
          </option>
        ))}
      </select>
    </label>
  );
}

interface SwitchProps {
  words: string;
  name: string;
  value: ReadonlySignal<boolean>;
  disabled?: boolean;
  change: (on: boolean) => void | Promise<void>;
}

/** A thing that is on or off; what cannot be switched on goes back to off by itself. */
export function Switch({ words, name, value, disabled, change }: SwitchProps) {
  const turned = async (box: HTMLInputElement) => {
    await change(box.checked);
    box.checked = value.peek();
  };

  return (
    <label class="menu-line">
      {words}
      <input
        type="checkbox"
        checked={value.value}
        disabled={disabled}
        data-testid={`menu-${name}`}
        onChange={(event) => void turned(event.currentTarget)}
      />
    </label>
  );
}
