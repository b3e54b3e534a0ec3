/**
 * The page's clock. Timers on the page count from the server's instants, so a wrong clock of this computer must not
 * show: answers with an `asOf` teach the offset. It ticks once a second for whoever looks, and stops while the data
 * is stale: a timer that runs on without news would claim more than we know.
 */
import { useSyncExternalStore } from 'react';
import { startOfDay } from './format';

/** Differences below this are the way of the answer, not the clock. */
const IGNORED_MS = 1500;

let offset = 0;
let frozenAt: number | undefined;
let second = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();

/** The offset after an answer that was true at `asOf` and arrived at `arrived` (this computer's clock). */
export function learnt(previous: number, asOf: number, arrived: number): number {
  const seen = asOf - arrived;
  return Math.abs(seen - previous) > IGNORED_MS ? seen : previous;
}

export function learnClock(asOf: number | undefined): void {
  if (asOf !== undefined) offset = learnt(offset, asOf, Date.now());
}

/** Now, by the server's clock; stands still while frozen. */
export const serverNow = (): number => frozenAt ?? Date.now() + offset;

/** Now, by the server's clock, also while the page's clock stands still. */
export const serverTime = (): number => Date.now() + offset;

/** An instant of this computer's clock in the server's time. */
export const localInstant = (at: number): number => at + offset;

/** Stops the clock at an instant of the server's clock, or lets it run (`undefined`). */
export function freezeClock(at: number | undefined): void {
  frozenAt = at;
  tell();
}

function tell(): void {
  second = Math.floor(serverNow() / 1000);
  for (const listener of listeners) listener();
}

function beat(): void {
  tell();
  timer = setTimeout(beat, 1000 - ((Date.now() + offset) % 1000));
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (timer === undefined) beat();
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearTimeout(timer);
      timer = undefined;
    }
  };
}

/** The present whole second in milliseconds; the component draws again with each. */
export function useNow(): number {
  useSyncExternalStore(subscribe, () => second);
  return serverNow();
}

/** Midnight of the present day; the component draws again when another day begins. */
export const useDay = (): number => useSyncExternalStore(subscribe, () => startOfDay(serverNow()));
