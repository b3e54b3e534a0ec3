/** Queues, the worst first. A row opens to the callers who wait; the first ones with callers are open by themselves. */
import { ChevronRight, CircleAlert, CircleCheck, CircleMinus, TriangleAlert } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { CallQueue, QueueCallerFigures, QueueStatus, WaitingContact } from '../../api/read';
import { numberFormat } from '../../i18n/number';
import { Explained } from '../../parts/Explained';
import { StateBar } from '../../parts/State';
import { Length } from '../../parts/Times';
import { useNow } from '../../time/clock';
import { clockText } from '../../time/format';
import { ContactDialog } from './ContactDialog';
import type { AskedVerb } from './ContactMenu';
import { DayCells, ExpectedWait } from './QueueFigures';
import { WaitingCallers } from './WaitingCallers';
import { mixOf, queueRows, type QueueRow } from './order';

/** So many queues with callers open by themselves; a busy floor stays a list. */
const OPEN_BY_ITSELF = 3;
const ICON = { bad: CircleAlert, warn: TriangleAlert, ok: CircleCheck, idle: CircleMinus } as const;

interface Props {
  queues: QueueStatus[];
  settings: ReadonlyMap<string, CallQueue> | undefined;
  today: ReadonlyMap<string, QueueCallerFigures> | undefined;
  /** Whether the person may see figures of the day; their columns stand before the figures come. */
  reports: boolean;
  nameOf: (agentId: string) => string;
  queueOf: (queueId: string) => string;
}

/** A dialog outlives the contact's row: who types is told why it is too late. */
interface Asking {
  verb: AskedVerb;
  queue: QueueStatus;
  contact: WaitingContact;
}

export function QueueTable({ queues, settings, today, reports, nameOf, queueOf }: Props) {
  const { t, i18n } = useTranslation();
  const now = useNow();
  const [chosen, setChosen] = useState<Readonly<Record<string, boolean>>>({});
  const [asking, setAsking] = useState<Asking>();
  const rows = queueRows(queues, settings, now);
  const byItself = new Set(
    rows
      .filter((row) => row.queue.waiting > 0)
      .slice(0, OPEN_BY_ITSELF)
      .map((row) => row.queue.queueId),
  );
  const number = numberFormat(i18n.language);
  const why = (row: QueueRow) =>
    row.why === 'nobody'
      ? t('queues.whyNobody')
      : row.why === 'over'
        ? t('queues.whyOver', { time: clockText(row.settings?.targetMs ?? 0) })
        : undefined;

  return (
    <>
      <table className="t" aria-label={t('queues.table')}>
        <thead>
          <tr>
            <th scope="col" className="col-health">
              {t('queues.state')}
            </th>
            <th scope="col">{t('queues.queue')}</th>
            <th scope="col" className="r col-number">
              <Explained word={t('queues.waiting')} figures={['waiting']} />
            </th>
            <th scope="col" className="r col-number">
              <Explained word={t('queues.longest')} figures={['longest_wait']} />
            </th>
            <th scope="col" className="r wide-only col-figure">
              <Explained word={t('queues.expected')} figures={['expected_wait', 'mean_wait']} />
            </th>
            <th scope="col" className="col-agents wide-only">
              {t('queues.agents')}
            </th>
            {reports && (
              <>
                <th scope="col" className="r wide-only col-figure">
                  <Explained word={t('queues.level')} figures={['service_level']} />
                </th>
                <th scope="col" className="r wide-only col-figure">
                  <Explained word={t('queues.answeredToday')} figures={['answered', 'abandoned', 'flow_out']} />
                </th>
              </>
            )}
          </tr>
        </thead>
        {rows.map((row) => {
          const { queue, health, longestMs } = row;
          const Icon = ICON[health];
          const open = queue.waiting > 0 && (chosen[queue.queueId] ?? byItself.has(queue.queueId));
          const figures = today?.get(queue.queueId);
          const panel = `callers-${queue.queueId}`;
          const agents =
            queue.loggedIn > 0 ? <StateBar mix={mixOf(queue)} /> : <span className="small dim">{t('queues.nobodyLoggedIn')}</span>;
          return (
            <tbody key={queue.queueId} data-queue={queue.queueId}>
              <tr className={open ? 'open' : undefined}>
                <td>
                  <span className={`state strong tone-${health}`} title={why(row)}>
                    <Icon size={14} aria-hidden="true" />
                    <span className="wide-only">{t(`health.${health}`)}</span>
                    <span className="sr">
                      {t(`health.${health}`)} {why(row)}
                    </span>
                  </span>
                </td>
                <th scope="row">
                  <div className="row g4">
                    <div className="qname grow">
                      <span>
                        <bdi className="name">{queue.displayName}</bdi>{' '}
                        {row.settings?.extension && <span className="small dim num">{row.settings.extension}</span>}
                      </span>
                      <div className="only-narrow">
                        {agents}
                        {queue.expectedWaitMs !== undefined && (
                          <div className="small dim">
                            {t('queues.expectedShort', { time: clockText(queue.expectedWaitMs) })}
                          </div>
                        )}
                      </div>
                    </div>
                  </div>
                </th>
                <td className="r">
                  <span className="row g4 waits">
                    <button
                      type="button"
                      className="fold"
                      disabled={queue.waiting === 0}
                      aria-expanded={open}
                      aria-controls={open ? panel : undefined}
                      aria-label={t(open ? 'queues.hide' : 'queues.show', { queue: queue.displayName })}
                      onClick={() => setChosen((all) => ({ ...all, [queue.queueId]: !open }))}
                    >
                      <ChevronRight size={14} aria-hidden="true" />
                    </button>
                    <span className={`num bigcell ${queue.waiting === 0 ? 'dim' : ''}`} data-waiting={queue.waiting}>
                      {number.format(queue.waiting)}
                    </span>
                  </span>
                </td>
                <td className="r nowrap">
                  {queue.waiting === 0 ? (
                    <span className="dim">–</span>
                  ) : (
                    <Length ms={longestMs} className={`bigcell ${health === 'ok' ? '' : `tone-${health}`}`} />
                  )}
                  {queue.waiting > 0 && row.settings?.targetMs !== undefined && (
                    <div className="small dim">{t('queues.target', { time: clockText(row.settings.targetMs) })}</div>
                  )}
                </td>
                <td className="r wide-only">
                  <ExpectedWait queue={queue} />
                </td>
                <td className="wide-only">{agents}</td>
                {reports && <DayCells known={today !== undefined} figures={figures} targetPercent={row.settings?.targetPercent} />}
              </tr>
              {open && (
                <tr className="inset" id={panel}>
                  <td colSpan={reports ? 8 : 6}>
                    <WaitingCallers
                      queue={queue}
                      nameOf={nameOf}
                      queueOf={queueOf}
                      movable={queues.length > 1}
                      ask={(verb, contact) => setAsking({ verb, queue, contact })}
                    />
                  </td>
                </tr>
              )}
            </tbody>
          );
        })}
      </table>
      {asking && <ContactDialog {...asking} queues={queues} close={() => setAsking(undefined)} />}
    </>
  );
}
