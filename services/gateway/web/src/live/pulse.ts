/**
 * The pulse of the page: whether the stream is up, when the server was last heard, what is known of the snapshots
 * shown, and from these the page's freshness and its "as of". While stale, the page's clock stands still (time/clock.ts).
 */
import { useSyncExternalStore } from 'react';
import { freezeClock, localInstant } from '../time/clock';
import type { Snapshot } from './affected';
import { GRACE_MS, freshness, type Freshness, type Proof } from './freshness';
import { Ledger, type Trouble } from './ledger';

const NONE: Proof = { up: false, downAt: 0, heardAt: 0 };
/** These carry the page: when one of them is old, the page is. The others say it in their own section. */
const FLOOR: readonly Snapshot[] = ['queues', 'agents', 'own'];
const DATED: readonly Snapshot[] = [...FLOOR, 'contacts', 'today'];

export const ledger = new Ledger();
let proof: Proof = NONE;
let shown: ReadonlyMap<Snapshot, number> = new Map();
let state: Freshness = 'connecting';
const listeners = new Set<() => void>();

function tell(): void {
  for (const listener of listeners) listener();
}

function settle(): void {
  const ages = [...shown].filter(([snapshot]) => FLOOR.includes(snapshot)).map(([snapshot, shownAt]) => ({ ...ledger.age(snapshot), shownAt }));
  const next = freshness(proof, ages, Date.now());
  if (next === state) return;
  state = next;
  freezeClock(next === 'stale' ? asOf() : undefined);
  tell();
}

/** The server said something: a message, or an answer. */
export function heard(): void {
  proof = { ...proof, heardAt: Date.now() };
  settle();
}

/** A try that fails has no grace; only a stream that was up may be away for a moment. */
export function streamUp(up: boolean): void {
  proof = { ...proof, up, downAt: up ? proof.downAt : Date.now() - (proof.up ? 0 : GRACE_MS) };
  settle();
}

/** Looks again, because time passed or other snapshots are shown. */
export function checkPulse(onPage: ReadonlySet<Snapshot>): void {
  const now = Date.now();
  shown = new Map([...onPage].map((snapshot) => [snapshot, shown.get(snapshot) ?? now]));
  settle();
}

/** A snapshot was read, or reading it failed. */
export function learnt(snapshot: Snapshot, change: () => void): void {
  const before = ledger.trouble(snapshot);
  change();
  settle();
  if (ledger.trouble(snapshot) !== before) tell();
}

export const current = (): Freshness => state;
export const isUp = (): boolean => proof.up;
export const heardAt = (): number => proof.heardAt;

/**
 * The instant, by the server's clock, at which everything on the page was true: that of its oldest snapshot. Sections
 * that say for themselves that they are old do not count. Absent before the first answer.
 */
export function asOf(): number | undefined {
  const instants = DATED.filter((snapshot) => shown.has(snapshot) && (FLOOR.includes(snapshot) || !ledger.trouble(snapshot)))
    .map((snapshot) => ledger.asOf(snapshot, localInstant))
    .filter((at) => at !== undefined);
  return instants.length > 0 ? Math.min(...instants) : undefined;
}

/** When a section was true. */
export const asOfSnapshot = (snapshot: Snapshot): number | undefined => ledger.asOf(snapshot, localInstant);

/** Nobody is signed in any more. */
export function resetPulse(): void {
  proof = NONE;
  shown = new Map();
  ledger.clear();
  settle();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useFreshness = (): Freshness => useSyncExternalStore(subscribe, current);

/** Whether refreshing a snapshot keeps failing, and how. */
export const useTrouble = (snapshot: Snapshot): Trouble | undefined => useSyncExternalStore(subscribe, () => ledger.trouble(snapshot));
