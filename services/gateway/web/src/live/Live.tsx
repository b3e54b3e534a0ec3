/**
 * Keeps the snapshots fresh while somebody is signed in: opens the stream, turns events into refreshes of what they
 * touch (at most four a second each), polls while the stream is down and probes when it is silent.
 */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { SNAPSHOTS, affected, settlesLater, type Snapshot } from './affected';
import { coalesce, type Coalesced } from './coalesce';
import { checkPulse, heard, heardAt, isUp, resetPulse, streamUp } from './pulse';
import { openLive } from './socket';

/** At most four refreshes of one snapshot a second. */
const GAP_MS = 250;
/** How often the pulse is felt. */
const BEAT_MS = 500;
/** Silence of an open stream after which we ask by ourselves. */
const PROBE_MS = 3000;
/** Between two polls while the stream is down. */
const POLL_MS = 2000;
/** Rows of reports and recordings settle this long after the event. */
const SETTLE_MS = 1200;

/** What must be right to the second; the rest changes rarely and waits for its event. */
const POLLED: readonly Snapshot[] = ['queues', 'agents', 'own', 'contacts', 'today'];
const PROBED: readonly Snapshot[] = ['queues', 'own'];

export function Live() {
  const cache = useQueryClient();
  useEffect(() => {
    const refreshers = new Map<Snapshot, Coalesced>(
      SNAPSHOTS.map((snapshot) => [snapshot, coalesce(() => cache.refetchQueries({ queryKey: [snapshot], type: 'active' }), GAP_MS)]),
    );
    const touch = (snapshots: readonly Snapshot[]) => {
      for (const snapshot of snapshots) {
        refreshers.get(snapshot)?.();
        if (settlesLater(snapshot)) refreshers.get(snapshot)?.later(SETTLE_MS);
      }
    };
    const close = openLive({
      up: (up) => {
        if (up) {
          heard();
          // What happened while we were away was not told to us.
          touch(SNAPSHOTS);
        }
        streamUp(up);
      },
      message: (message) => {
        heard();
        if (message.kind === 'event') touch(affected(message.event.type));
        else if (message.kind === 'lagged') touch(SNAPSHOTS);
      },
    });
    let asked = Date.now();
    const beat = setInterval(() => {
      checkPulse();
      const now = Date.now();
      if (now - asked < POLL_MS) return;
      if (!isUp()) {
        asked = now;
        touch(POLLED);
      } else if (now - heardAt() > PROBE_MS) {
        asked = now;
        touch(PROBED);
      }
    }, BEAT_MS);
    return () => {
      clearInterval(beat);
      close();
      for (const refresher of refreshers.values()) refresher.stop();
      resetPulse();
    };
  }, [cache]);
  return null;
}
