/** The page of those who steer: every queue, caller and agent as they are this second, and what just happened. */
import { useTranslation } from 'react-i18next';
import { sentence } from '../../api/problem';
import { useAgentStatuses, useCallQueues, useLastContacts, useQueueStatuses, useToday, useUsers } from '../../api/queries';
import { useMe } from '../../api/session';
import { heardAt, useFreshness } from '../../live/pulse';
import { Notice } from '../../parts/Notice';
import { Page } from '../../parts/Page';
import { StateLegend } from '../../parts/State';
import { localInstant, useNow } from '../../time/clock';
import { timeOfDay } from '../../time/format';
import { AgentTable } from './AgentTable';
import { ContactTable } from './ContactTable';
import { Figures } from './Figures';
import { HowToCall } from './HowToCall';
import { QueueTable } from './QueueTable';
import { shortId } from './order';

/** When the server was last heard; says so loudly when that is too long ago. */
function AsOf() {
  const { t, i18n } = useTranslation();
  useNow();
  const stale = useFreshness() === 'stale';
  const at = heardAt();
  if (at === 0) return null;
  const time = timeOfDay(localInstant(at), i18n.language);
  return (
    <>
      <span className="small dim num">{t('live.asOf', { time })}</span>
      <span role="alert">{stale && <span className="tag bad">{t('live.staleBadge', { time })}</span>}</span>
    </>
  );
}

export function QueuesNow() {
  const { t } = useTranslation();
  const { permissions } = useMe();
  const stale = useFreshness() === 'stale';
  const queues = useQueueStatuses();
  const agents = useAgentStatuses();
  const settings = useCallQueues(permissions.has('queues.view'));
  const users = useUsers(permissions.has('users.view'));
  const contacts = useLastContacts(permissions.has('contacts.view'));
  const today = useToday(permissions.has('reports.view'));

  const nameOf = (agentId: string) => users.data?.get(agentId)?.displayName || shortId(agentId);
  const queueOf = (queueId: string) =>
    queues.data?.find((queue) => queue.queueId === queueId)?.displayName || settings.data?.get(queueId)?.displayName || shortId(queueId);
  const failed = (!queues.data && queues.error) || (!agents.data && agents.error);
  const told = failed ? sentence(failed, t) : undefined;
  const nobodyWaits = queues.data?.every((queue) => queue.waiting === 0) ?? false;

  return (
    <div data-stale={stale}>
      <Page title={t('queues.title')} beside={<AsOf />}>
        {told && (
          <Notice kind="bad" code={told.code}>
            {told.text}
          </Notice>
        )}
        <div className="news">
          {queues.data && agents.data && <Figures queues={queues.data} agents={agents.data} today={today.data?.total} />}
          {queues.data && queues.data.length > 0 && (
            <>
              <div className="toolbar">
                <StateLegend label={t('queues.legend')} />
              </div>
              <QueueTable queues={queues.data} settings={settings.data} today={today.data?.byQueue} nameOf={nameOf} />
            </>
          )}
          {queues.data?.length === 0 && <p className="empty">{t('queues.empty')}</p>}
          {nobodyWaits && permissions.has('numbers.view') && <HowToCall />}
          {agents.data && <AgentTable statuses={agents.data} users={users.data} queueOf={queueOf} />}
          {contacts.data && <ContactTable contacts={contacts.data} nameOf={nameOf} queueOf={queueOf} />}
        </div>
      </Page>
    </div>
  );
}
