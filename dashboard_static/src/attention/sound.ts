/** Two short soft tones, made here. A browser lets a page sound only after a click or a key on it. */

const TONES = [
  { hertz: 587, at_s: 0 },
  { hertz: 880, at_s: 0.14 },
];
const TONE_S = 0.32;
const LOUDNESS = 0.07;
const APART_MS = 2000;

let context: AudioContext | null = null;
let sounded_at = -APART_MS;

export const canSound = (): boolean => typeof AudioContext === "function";

/** To be called by a click or a key. */
export async function unlock(): Promise<void> {
  if (!canSound()) return;
  context ??= new AudioContext();
  if (context.state !== "running") await context.resume();
}

/** Nothing is heard where the page may not sound yet: late, it would tell of nothing. */
export function ring(): void {
  const at = performance.now();
  if (context?.state !== "running" || at - sounded_at < APART_MS) return;
  sounded_at = at;
  for (const { hertz, at_s } of TONES) tone(context, hertz, context.currentTime + at_s);
}

function tone(context: AudioContext, hertz: number, from: number): void {
  const oscillator = context.createOscillator();
  const gain = context.createGain();
  oscillator.frequency.value = hertz;
  gain.gain.setValueAtTime(0, from);
  gain.gain.linearRampToValueAtTime(LOUDNESS, from + 0.02);
  gain.gain.exponentialRampToValueAtTime(0.0001, from + TONE_S);
  oscillator.connect(gain).connect(context.destination);
  oscillator.start(from);
  oscillator.stop(from + TONE_S);
}
