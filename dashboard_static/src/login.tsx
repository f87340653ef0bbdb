import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { login } from "./api";
import { enter } from "./hub";
import { Icon } from "./icons";

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
        <h1>{expired ? "Your sign-in has expired" : "Agent Tower"}</h1>
        <p class="muted">
          {expired ? (
            "The tower no longer accepts this browser's credential. Sign in again to go on where you were."
          ) : (
            <>
              Open the link that <code>tower up</code> printed, or sign in with an access token.
            </>
          )}
        </p>
        <label for="token">Access token</label>
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
          {busy.value ? "Signing in…" : "Sign in"}
        </button>
        <p class="muted small">
          <code>tower token</code> prints it.
        </p>
      </form>
    </main>
  );
}

function codeMessage(): string {
  return (
    codeRefused.value && "That one-time link was used before or has expired. Sign in with a token instead."
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
    status === 401 ? "This token is not accepted. Check that it is whole and not revoked." : words;
}
