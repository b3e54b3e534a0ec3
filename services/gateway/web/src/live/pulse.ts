/**
 * The pulse of the connection: whether the stream is up and when the server was last heard, and from these the page's
 * freshness. While stale, the page's clock stands still (time/clock.ts).
 */
import { useSyncExternalStore } from 'react';
import { freezeClock } from '../time/clock';
import { GRACE_MS, freshness, type Freshness, type Proof } from './freshness';

const NONE: Proof = { up: false, downAt: 0, heardAt: 0 };
let proof: Proof = NONE;
let current: Freshness = 'connecting';
const listeners = new Set<() => void>();

function settle(): void {
  const next = freshness(proof, Date.now());
  if (next === current) return;
  current = next;
  freezeClock(next === 'stale' ? proof.heardAt : undefined);
  for (const listener of listeners) listener();
}

/** The server said something: a message or the answer with a live snapshot. */
export function heard(): void {
  proof = { ...proof, heardAt: Date.now() };
  settle();
}

/** A try that fails has no grace; only a stream that was up may be away for a moment. */
export function streamUp(up: boolean): void {
  proof = { ...proof, up, downAt: up ? proof.downAt : Date.now() - (proof.up ? 0 : GRACE_MS) };
  settle();
}

/** Looks again, because time passed. */
export const checkPulse = settle;

export const isUp = (): boolean => proof.up;
export const heardAt = (): number => proof.heardAt;

/** Nobody is signed in any more. */
export function resetPulse(): void {
  proof = NONE;
  settle();
}

export function useFreshness(): Freshness {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}
