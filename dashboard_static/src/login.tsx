import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { login } from "./api";
import { enter } from "./hub";
import { Icon } from "./icons";
import { rich, t } from "./messages";

export const codeRefused = signal("");
const refused = signal("");
const busy = signal(false);

export function Login({ expired }: { expired: boolean }) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const message = refused.value || codeMessage();
  const submit = async (event: Event) => {
    event.preventDefault();
    const token = field.current?.value.trim() ?? "";
    if (token === "" || busy.peek()) return;
    await signIn(token);
    field.current?.select();
  };
  return (
    <main class="gate">
      <form class="gate-card" data-testid="login-form" onSubmit={submit}>
        <div class="gate-mark">
          <Icon name="tower" />
        </div>
        <h1>{expired ? t("Your sign-in has expired") : "Agent Tower"}</h1>
        <p class="muted">
          {expired
            ? t("The tower no longer accepts this browser's credential. Sign in again to go on where you were.")
            : rich("Open the link that {command} printed, or sign in with an access token.", {
                command: <code>tower up</code>,
              })}
        </p>
        <label for="token">{t("Access token")}</label>
        <input
          ref={field}
          id="token"
          name="token"
          type="password"
          autocomplete="current-password"
          spellcheck={false}
          required
          aria-invalid={message !== ""}
          aria-describedby="login-error"
        />
        <p id="login-error" class="gate-error" role="alert" data-testid="login-error">
          {message}
        </p>
        <button type="submit" class="primary" disabled={busy.value}>
          {busy.value ? t("Signing in…") : t("Sign in")}
        </button>
        <p class="muted small">
          {rich("{command} prints it.", { command: <code>tower token</code> })}
        </p>
      </form>
    </main>
  );
}

function codeMessage(): string {
  return (
    codeRefused.value && t("That one-time link was used before or has expired. Sign in with a token instead.")
  );
}

async function signIn(token: string): Promise<void> {
  busy.value = true;
  refused.value = "";
  const { status, words } = await login({ token });
  busy.value = false;
  codeRefused.value = "";
  if (status === 204) return enter();
  refused.value =
    status === 401 ? t("This token is not accepted. Check that it is whole and not revoked.") : t(words);
}
