import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { coalesce } from './coalesce';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('coalesce', () => {
  it('runs at once, then at most once per gap, and always after the last request', async () => {
    const run = vi.fn(async () => undefined);
    const ask = coalesce(run, 250);
    ask();
    expect(run).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(10);
    for (let n = 0; n < 50; n += 1) ask();
    expect(run).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(239);
    expect(run).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(run).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(5000);
    expect(run).toHaveBeenCalledTimes(2);
  });

  it('stays at four a second under a steady stream of events', async () => {
    const run = vi.fn(async () => undefined);
    const ask = coalesce(run, 250);
    for (let ms = 0; ms < 2000; ms += 5) {
      ask();
      await vi.advanceTimersByTimeAsync(5);
    }
    expect(run.mock.calls.length).toBeLessThanOrEqual(9);
    expect(run.mock.calls.length).toBeGreaterThanOrEqual(8);
  });

  it('never runs twice at a time and runs again for what came meanwhile', async () => {
    let finish = () => {};
    const run = vi.fn(() => new Promise<void>((done) => (finish = done)));
    const ask = coalesce(run, 250);
    ask();
    ask();
    await vi.advanceTimersByTimeAsync(1000);
    expect(run).toHaveBeenCalledTimes(1);
    finish();
    await vi.advanceTimersByTimeAsync(0);
    expect(run).toHaveBeenCalledTimes(2);
  });

  it('goes on after a failure', async () => {
    const run = vi.fn(async () => Promise.reject(new Error('down')));
    const ask = coalesce(run, 250);
    ask();
    await vi.advanceTimersByTimeAsync(300);
    ask();
    expect(run).toHaveBeenCalledTimes(2);
  });

  it('runs once more later, counted from the last request, and not after stop', async () => {
    const run = vi.fn(async () => undefined);
    const ask = coalesce(run, 250);
    ask.later(1000);
    await vi.advanceTimersByTimeAsync(900);
    ask.later(1000);
    await vi.advanceTimersByTimeAsync(900);
    expect(run).toHaveBeenCalledTimes(0);
    await vi.advanceTimersByTimeAsync(100);
    expect(run).toHaveBeenCalledTimes(1);
    ask();
    ask.later(1000);
    ask.stop();
    await vi.advanceTimersByTimeAsync(5000);
    expect(run).toHaveBeenCalledTimes(1);
  });
});
