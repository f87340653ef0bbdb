import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Pace } from "../src/pace";

describe("a pace", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it("lets the first through at once, and calls again for what had to wait", () => {
    const again = vi.fn();
    const pace = new Pace(again);
    expect(pace.ready(1000)).toBe(true);
    pace.rest(1250);
    expect(pace.ready(1010)).toBe(false);
    expect(pace.ready(1020)).toBe(false);
    vi.advanceTimersByTime(239);
    expect(again).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(again).toHaveBeenCalledTimes(1);
    expect(pace.ready(1250)).toBe(true);
  });

  it("calls nobody where nothing waited", () => {
    const again = vi.fn();
    const pace = new Pace(again);
    pace.rest(1250);
    vi.advanceTimersByTime(5000);
    expect(again).not.toHaveBeenCalled();
  });
});
