import { useTranslation } from 'react-i18next';
import type { AgentStatus, QueueCallerFigures, QueueStatus } from '../../api/read';
import { numberFormat } from '../../i18n/number';
import { Stat } from '../../parts/Page';
import { Length } from '../../parts/Times';
import { useNow } from '../../time/clock';

/** The whole floor in four or five figures, each with its base. */
export function Figures({ queues, agents, today }: { queues: QueueStatus[]; agents: AgentStatus[]; today: QueueCallerFigures | undefined }) {
  const { t, i18n } = useTranslation();
  const now = useNow();
  const number = numberFormat(i18n.language);
  const percent = new Intl.NumberFormat(i18n.language, { style: 'percent', maximumFractionDigits: 0 });
  const waiting = queues.reduce((sum, queue) => sum + queue.waiting, 0);
  const longest = queues.reduce<QueueStatus | undefined>(
    (worst, queue) => ((queue.longestWaitSince ?? Infinity) < (worst?.longestWaitSince ?? Infinity) ? queue : worst),
    undefined,
  );
  const loggedIn = agents.filter((agent) => agent.state !== 'AGENT_STATE_LOGGED_OUT').length;
  const ready = agents.filter((agent) => agent.state === 'AGENT_STATE_READY').length;
  return (
    <dl className="stats">
      <Stat
        name={t('queues.waiting')}
        value={number.format(waiting)}
        base={t('queues.waitingIn', { count: queues.filter((queue) => queue.waiting > 0).length })}
      />
      <Stat
        name={t('queues.longestWait')}
        value={longest?.longestWaitSince === undefined ? '–' : <Length ms={now - longest.longestWaitSince} />}
        base={longest ? <bdi>{longest.displayName}</bdi> : t('queues.nobody')}
      />
      <Stat
        name={t('queues.agentsReady')}
        value={number.format(ready)}
        base={t('queues.ofLoggedIn', { count: loggedIn })}
        tone={ready === 0 && waiting > 0 ? 'bad' : undefined}
      />
      {today && (
        <Stat
          name={t('queues.callsToday')}
          value={number.format(today.offered)}
          base={t('queues.callsBase', { answered: number.format(today.answered), abandoned: number.format(today.abandoned) })}
        />
      )}
      {today && (
        <Stat
          name={t('queues.serviceLevel')}
          value={today.serviceLevelPercent === undefined ? '–' : percent.format(today.serviceLevelPercent / 100)}
          base={t('queues.slBase', { count: today.serviceLevelBase })}
        />
      )}
    </dl>
  );
}
