import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ACK_BYTES, Acks } from "../src/acks";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("acks", () => {
  it("tell at 32 frames, and 500 ms after a frame that nobody told of", () => {
    const told: number[] = [];
    const acks = new Acks((frames) => told.push(frames));
    for (let i = 0; i < 31; i++) acks.frame(10);
    expect(told).toEqual([]);
    acks.frame(10);
    expect(told).toEqual([32]);
    vi.advanceTimersByTime(2000);
    expect(told).toEqual([32]);
    acks.frame(10);
    vi.advanceTimersByTime(499);
    expect(told).toEqual([32]);
    vi.advanceTimersByTime(1);
    expect(told).toEqual([32, 33]);
  });

  it("tell at 64 KiB, however few frames these are", () => {
    const told: number[] = [];
    const acks = new Acks((frames) => told.push(frames));
    acks.frame(ACK_BYTES - 1);
    expect(told).toEqual([]);
    acks.frame(1);
    expect(told).toEqual([2]);
    acks.frame(ACK_BYTES - 1);
    expect(told).toEqual([2]);
    vi.advanceTimersByTime(500);
    expect(told).toEqual([2, 3]);
    acks.frame(ACK_BYTES - 1);
    expect(told).toEqual([2, 3]);
  });

  it("tell at once in a hidden tab", () => {
    const told: number[] = [];
    const acks = new Acks(
      (frames) => told.push(frames),
      () => true,
    );
    acks.frame(10);
    acks.frame(10);
    expect(told).toEqual([1, 2]);
  });
});
