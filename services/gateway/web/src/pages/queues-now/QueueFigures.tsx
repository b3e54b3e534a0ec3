/** A queue's figures beside those of this second: what a caller may expect, and the day so far. */
import { useTranslation } from 'react-i18next';
import type { QueueCallerFigures, QueueStatus } from '../../api/read';
import { numberFormat } from '../../i18n/number';
import { Length } from '../../parts/Times';
import { clockText } from '../../time/format';

/** What a caller who enters now may expect, above what those waited who left. */
export function ExpectedWait({ queue: { expectedWaitMs, meanWait } }: { queue: QueueStatus }) {
  const { t } = useTranslation();
  return (
    <>
      {expectedWaitMs === undefined ? <span className="dim">–</span> : <Length ms={expectedWaitMs} className="bigcell" />}
      {meanWait && (
        <div className="small dim num">
          {t(meanWait.complete ? 'queues.mean' : 'queues.meanSoFar', { time: clockText(meanWait.ms), count: meanWait.sample })}
        </div>
      )}
    </>
  );
}

interface Day {
  /** Whether the figures of the day have come; a queue without any had no calls. */
  known: boolean;
  figures: QueueCallerFigures | undefined;
  targetPercent: number | undefined;
}

/** Two cells: the service level, and what became of the calls. */
export function DayCells({ known, figures, targetPercent }: Day) {
  const { t, i18n } = useTranslation();
  const number = numberFormat(i18n.language);
  const percent = new Intl.NumberFormat(i18n.language, { style: 'percent', maximumFractionDigits: 0 });
  const level = figures?.serviceLevelPercent;
  const below = level !== undefined && targetPercent !== undefined && level < targetPercent;
  return (
    <>
      <td className="r wide-only">
        {level === undefined ? <span className="dim">–</span> : <span className={`num bigcell ${below ? 'tone-warn' : ''}`}>{percent.format(level / 100)}</span>}
        {level !== undefined && targetPercent !== undefined && (
          <div className="small dim num">{t('queues.levelTarget', { target: percent.format(targetPercent / 100) })}</div>
        )}
      </td>
      <td className="r wide-only">
        {known ? <span className={`num bigcell ${figures?.answered ? '' : 'dim'}`}>{number.format(figures?.answered ?? 0)}</span> : <span className="dim">–</span>}
        {figures && figures.abandoned > 0 && <div className="small dim num">{t('queues.abandonedToday', { count: figures.abandoned })}</div>}
        {figures && figures.flowOut > 0 && <div className="small dim num">{t('queues.otherwiseToday', { count: figures.flowOut })}</div>}
      </td>
    </>
  );
}
