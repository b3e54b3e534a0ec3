/** Agents, those to look after first, with what a supervisor may do for each. */
import { TriangleAlert } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { AgentStatus, User } from '../../api/read';
import { useMe } from '../../api/session';
import { Caller, Person } from '../../parts/People';
import { State } from '../../parts/State';
import { Since, Until } from '../../parts/Times';
import { statusOf } from '../../parts/status';
import { AgentMenu } from './AgentMenu';
import { agentRows, type AgentRow } from './order';
import { WhyAgent } from './why/WhyAgent';

/** With more agents than this, those logged out fold away. */
const SMALL_FLOOR = 20;

interface Props {
  statuses: AgentStatus[];
  users: ReadonlyMap<string, User> | undefined;
  queueOf: (queueId: string) => string;
}

export function AgentTable({ statuses, users, queueOf }: Props) {
  const { t } = useTranslation();
  const { permissions } = useMe();
  const [all, setAll] = useState(false);
  const rows = agentRows(statuses, users);
  const away = rows.filter((row) => row.state === 'AGENT_STATE_LOGGED_OUT').length;
  const folds = rows.length > SMALL_FLOOR && away > 0;
  const shown = folds && !all ? rows.filter((row) => row.state !== 'AGENT_STATE_LOGGED_OUT') : rows;
  const manages = permissions.has('agents.manage');

  return (
    <>
      {rows.length === 0 ? (
        <p className="empty">{t('agents.empty')}</p>
      ) : (
        <table className="t dense" aria-label={t('agents.table')}>
          <thead>
            <tr>
              <th scope="col" className="col-agent">
                {t('agents.agent')}
              </th>
              <th scope="col" className="col-state">
                {t('agents.state')}
              </th>
              <th scope="col" className="r col-since">
                {t('agents.since')}
              </th>
              <th scope="col" className="wide-only">
                {t('agents.contact')}
              </th>
              <td className="acts" />
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <tr key={row.agentId} data-agent={row.agentId} data-state={row.state}>
                <th scope="row">
                  <Person name={row.name} />
                </th>
                <td>
                  <Doing row={row} />
                  <div className="only-narrow">
                    <With row={row} queueOf={queueOf} />
                  </div>
                </td>
                <td className="r">
                  {row.state === 'AGENT_STATE_LOGGED_OUT' ? <span className="dim">–</span> : <Since at={row.since} />}
                </td>
                <td className="wide-only">
                  <With row={row} queueOf={queueOf} />
                </td>
                <td className="r acts">
                  <span className="row g4">
                    <WhyAgent agentId={row.agentId} name={row.name} queueOf={queueOf} />
                    {manages && <AgentMenu row={row} />}
                  </span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {folds && (
        <button type="button" className="linkbtn" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? t('agents.hideLoggedOut') : t('agents.loggedOut', { count: away })}
        </button>
      )}
    </>
  );
}

function Doing({ row }: { row: AgentRow }) {
  const now = statusOf(row.state);
  const chosen = statusOf(row.chosen);
  // During a contact the choice for afterwards is worth a word, unless it is the plain one.
  const then = (now === 'call' || now === 'wrap' || now === 'ringing') && chosen !== 'available' ? chosen : undefined;
  // The reason belongs to the pause, the present one or the one that follows.
  const reason = now === 'paused' || then === 'paused' ? row.pauseReason : '';
  return <State s={now} then={then} reason={reason} />;
}

function With({ row, queueOf }: { row: AgentRow; queueOf: (queueId: string) => string }) {
  const { t } = useTranslation();
  if (row.state !== 'AGENT_STATE_LOGGED_OUT' && !row.deviceOnline && !row.caller)
    return (
      <span className="state tone-warn">
        <TriangleAlert size={14} aria-hidden="true" />
        {t('agents.offline')}
      </span>
    );
  if (row.state === 'AGENT_STATE_WRAP_UP' && row.wrapUpUntil !== undefined)
    return (
      <span className="dim">
        {row.contactQueueId && <bdi>{queueOf(row.contactQueueId)} · </bdi>}
        {/* The words around the time stay; only the time ticks. */}
        {t('agents.endsIn', { time: '' })}
        <span className="num">
          <Until at={row.wrapUpUntil} />
        </span>
      </span>
    );
  if (!row.caller) return <span className="dim wide-only">–</span>;
  return (
    <span className="caller">
      {row.contactQueueId && <bdi className="mid">{queueOf(row.contactQueueId)}</bdi>}
      <Caller party={row.caller} />
    </span>
  );
}
