/** The page of those who steer: every queue, caller and agent as they are this second, and what just happened. */
import { useTranslation } from 'react-i18next';
import { useAgentStatuses, useCallQueues, useLastContacts, useQueueStatuses, useToday, useUsers } from '../../api/queries';
import { useMe } from '../../api/session';
import { useFreshness, useTrouble } from '../../live/pulse';
import { AsOf } from '../../parts/AsOf';
import { Page } from '../../parts/Page';
import { Cut, Loading, SnapshotNotice } from '../../parts/Section';
import { StateLegend } from '../../parts/State';
import { useDay } from '../../time/clock';
import { AgentTable } from './AgentTable';
import { ContactTable } from './ContactTable';
import { Figures } from './Figures';
import { HowToCall } from './HowToCall';
import { QueueTable } from './QueueTable';
import { shortId } from './order';

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
  const oldContacts = useTrouble('contacts') !== undefined;
  // Yesterday's figures are nobody's figures of today.
  const day = useDay();
  const figures = today.data?.day === day ? today.data : undefined;

  const nameOf = (agentId: string) => users.data?.byId.get(agentId)?.displayName || shortId(agentId);
  const queueOf = (queueId: string) =>
    queues.data?.rows.find((queue) => queue.queueId === queueId)?.displayName || settings.data?.byId.get(queueId)?.displayName || shortId(queueId);
  const nobodyWaits = queues.data?.rows.every((queue) => queue.waiting === 0) ?? false;

  return (
    <div data-stale={stale}>
      <Page title={t('queues.title')} beside={<AsOf />}>
        <SnapshotNotice snapshot="queues" query={queues} />
        <SnapshotNotice snapshot="today" query={today} />
        <SnapshotNotice snapshot="callQueues" query={settings} />
        <div className="news">
          {queues.data && agents.data && <Figures queues={queues.data.rows} agents={agents.data.rows} today={figures?.total} />}
          {queues.isPending && !queues.error && <Loading rows={5} />}
          {queues.data && queues.data.rows.length > 0 && (
            <>
              <div className="toolbar">
                <StateLegend label={t('queues.legend')} />
              </div>
              <QueueTable
                queues={queues.data.rows}
                settings={settings.data?.byId}
                today={figures?.byQueue}
                reports={permissions.has('reports.view')}
                nameOf={nameOf}
                queueOf={queueOf}
              />
              {queues.data.cut && <Cut count={queues.data.rows.length} />}
            </>
          )}
          {queues.data?.rows.length === 0 && <p className="empty">{t('queues.empty')}</p>}
          {nobodyWaits && permissions.has('numbers.view') && <HowToCall />}

          <section className="sec" aria-labelledby="agents-title">
            <h2 id="agents-title">{t('agents.title')}</h2>
            <SnapshotNotice snapshot="agents" query={agents} />
            <SnapshotNotice snapshot="users" query={users} />
            {agents.isPending && !agents.error && <Loading />}
            {agents.data && <AgentTable statuses={agents.data.rows} users={users.data?.byId} queueOf={queueOf} />}
            {(agents.data?.cut || users.data?.cut) && <Cut count={Math.max(agents.data?.rows.length ?? 0, users.data?.byId.size ?? 0)} />}
          </section>

          {permissions.has('contacts.view') && (
            <section className="sec" aria-labelledby="contacts-title" data-stale={oldContacts}>
              <h2 id="contacts-title">{t('contacts.title')}</h2>
              <SnapshotNotice snapshot="contacts" query={contacts} />
              {contacts.isPending && !contacts.error && <Loading />}
              {contacts.data && (
                <div className="news">
                  <ContactTable contacts={contacts.data} nameOf={nameOf} queueOf={queueOf} />
                </div>
              )}
            </section>
          )}
        </div>
      </Page>
    </div>
  );
}
