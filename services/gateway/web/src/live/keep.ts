/**
 * Keeps the snapshots fresh: opens the stream, turns events into refreshes of what they touch (at most four a second
 * each), reads everything that must be right to the second again every few seconds, polls while the stream is down or
 * silent, and tries again, ever more slowly, what failed.
 */
import type { QueryClient } from '@tanstack/react-query';
import { serverTime } from '../time/clock';
import { startOfDay } from '../time/format';
import { SNAPSHOTS, affected, isSnapshot, settlesLater, type Snapshot } from './affected';
import { coalesce, type Coalesced } from './coalesce';
import { POLL_MS, RECONCILE_MS } from './ledger';
import { checkPulse, heard, heardAt, isUp, learnt, ledger, resetPulse, streamUp } from './pulse';
import { openLive, type LiveHandlers } from './socket';

/** At most four refreshes of one snapshot a second. */
const GAP_MS = 250;
/** How often the pulse is felt. */
const BEAT_MS = 500;
/** Silence of an open stream after which we ask by ourselves. */
const PROBE_MS = 3000;
/** Rows of reports and recordings settle this long after the event. */
const SETTLE_MS = 1200;

/** What must be right to the second; the rest changes rarely and waits for its event. */
const LIVELY: ReadonlySet<Snapshot> = new Set(['queues', 'agents', 'own', 'contacts', 'today']);
/** Figures of a day: another day makes them wrong although nothing happened. */
const DAILY: readonly Snapshot[] = ['contacts', 'today'];

/** Starts; the answer stops. */
export function keepFresh(cache: QueryClient, open: (handlers: LiveHandlers) => () => void = openLive): () => void {
  const refreshers = new Map<Snapshot, Coalesced>(
    SNAPSHOTS.map((snapshot) => [
      snapshot,
      // What is not on the page now is marked old and read when it is shown.
      coalesce(() => cache.invalidateQueries({ queryKey: [snapshot], refetchType: 'active' }), GAP_MS),
    ]),
  );
  const refresh = (snapshot: Snapshot) => refreshers.get(snapshot)?.();
  const touch = (snapshots: readonly Snapshot[]) => {
    for (const snapshot of snapshots) {
      ledger.touched(snapshot, Date.now());
      // While it fails, events do not hurry it: its next try is planned.
      if (!ledger.failing(snapshot)) refresh(snapshot);
      if (settlesLater(snapshot)) refreshers.get(snapshot)?.later(SETTLE_MS);
    }
  };
  const onPage = (): ReadonlySet<Snapshot> =>
    new Set(cache.getQueryCache().findAll({ type: 'active' }).map((query) => query.queryKey[0]).filter(isSnapshot));

  const unwatch = cache.getQueryCache().subscribe((event) => {
    const snapshot = event.query.queryKey[0];
    if (event.type !== 'updated' || !isSnapshot(snapshot)) return;
    const { action } = event;
    if (action.type === 'fetch') ledger.asked(snapshot, Date.now());
    else if (action.type === 'success' && !action.manual) {
      learnt(snapshot, () => ledger.read(snapshot));
      heard();
    } else if (action.type === 'error') learnt(snapshot, () => ledger.failed(snapshot, Date.now(), action.error));
  });
  // Pages drawn before we listened have asked already.
  for (const snapshot of onPage()) ledger.asked(snapshot, Date.now());

  const close = open({
    up: (up) => {
      streamUp(up);
      if (!up) return;
      heard();
      // What happened while we were away was not told to us; and what failed has reason to work now.
      touch(SNAPSHOTS);
      for (const snapshot of SNAPSHOTS) if (ledger.failing(snapshot)) refresh(snapshot);
    },
    message: (message) => {
      heard();
      if (message.kind === 'event') touch(affected(message.event.type));
      else if (message.kind === 'lagged') touch(SNAPSHOTS);
    },
  });

  let day = startOfDay(serverTime());
  const beat = setInterval(() => {
    const now = Date.now();
    const shown = onPage();
    checkPulse(shown);
    const every = isUp() && now - heardAt() <= PROBE_MS ? RECONCILE_MS : POLL_MS;
    for (const snapshot of shown) if (ledger.due(snapshot, now, LIVELY.has(snapshot) ? every : Infinity)) refresh(snapshot);
    const today = startOfDay(serverTime());
    if (today !== day) {
      day = today;
      touch(DAILY);
    }
  }, BEAT_MS);

  return () => {
    clearInterval(beat);
    unwatch();
    close();
    for (const refresher of refreshers.values()) refresher.stop();
    resetPulse();
  };
}
