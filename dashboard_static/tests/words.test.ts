import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { dismiss, endAwaited, INFO_MS, notices, notify } from "../src/words";

const away = { code: "log_away", level: "warning", message: "Live updates pause." };
const back = { code: "log_back", level: "info", message: "Live updates go on." };
const lost = { code: "log_lost", level: "warning", message: "The board is read anew." };
const codes = () => notices.value.map((each) => each.code);

beforeEach(() => {
  vi.useFakeTimers();
  notices.value = [];
});

afterEach(() => void vi.useRealTimers());

it("an info goes by itself, a warning stays until it is dismissed", () => {
  notify(lost);
  notify(back);
  vi.advanceTimersByTime(INFO_MS - 1);
  expect(codes()).toEqual(["log_lost", "log_back"]);
  vi.advanceTimersByTime(1);
  expect(codes()).toEqual(["log_lost"]);
  vi.advanceTimersByTime(3_600_000);
  expect(codes()).toEqual(["log_lost"]);
  dismiss("log_lost");
  expect(codes()).toEqual([]);
});

it("log_away is ended by log_back, and by nothing else that comes", () => {
  notify(away);
  notify(lost);
  expect(codes()).toEqual(["log_away", "log_lost"]);
  notify(back);
  expect(codes()).toEqual(["log_lost", "log_back"]);
});

it("log_away ends with its connection too: its counterpart would come on another one", () => {
  notify(away);
  notify(lost);
  endAwaited();
  expect(codes()).toEqual(["log_lost"]);
});

it("the same word again takes the place of the former and has its whole time", () => {
  notify(back);
  vi.advanceTimersByTime(INFO_MS - 1);
  notify({ ...back });
  vi.advanceTimersByTime(INFO_MS - 1);
  expect(codes()).toEqual(["log_back"]);
  vi.advanceTimersByTime(1);
  expect(codes()).toEqual([]);
});

it("never more than four stand there", () => {
  for (let i = 0; i < 9; i++) notify({ ...lost, code: `c${i}` });
  expect(codes()).toEqual(["c5", "c6", "c7", "c8"]);
});
