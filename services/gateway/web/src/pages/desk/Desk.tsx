/** An agent's own status and what to do about it. The calls themselves are on the phone. */
import { Button, Select } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useAgentAct, useCallQueues, useDevicesOf, useOwnStatus, type AgentVerb } from '../../api/queries';
import type { AgentStatus } from '../../api/read';
import { useMe } from '../../api/session';
import { useFreshness } from '../../live/pulse';
import { Glyph } from '../../parts/Glyph';
import { AsOf } from '../../parts/AsOf';
import { Page } from '../../parts/Page';
import { Caller, deviceName } from '../../parts/People';
import { Loading, SnapshotNotice } from '../../parts/Section';
import { Since, Until } from '../../parts/Times';
import { useToasts } from '../../parts/Toasts';
import { TONE, statusOf } from '../../parts/status';
import { shortId } from '../queues-now/order';
import { mayEnd, mayProlong } from './wrapUp';

export function Desk() {
  const { t } = useTranslation();
  const stale = useFreshness() === 'stale';
  const own = useOwnStatus();
  return (
    <div data-stale={stale}>
      <Page title={t('desk.title')} beside={<AsOf />}>
        <SnapshotNotice snapshot="own" query={own} />
        <div className="news">
          {own.isPending && !own.error && <Loading />}
          {own.data && <OwnStrip status={own.data} />}
        </div>
      </Page>
    </div>
  );
}

function OwnStrip({ status }: { status: AgentStatus }) {
  const { t } = useTranslation();
  const { permissions } = useMe();
  const devices = useDevicesOf('me');
  const queues = useCallQueues(permissions.has('queues.view'));
  const [deviceId, setDeviceId] = useState<string | null>(null);
  const act = useAgentAct();
  const { failed } = useToasts();
  const now = statusOf(status.state);
  const chosen = statusOf(status.chosen);
  const busy = now === 'call' || now === 'ringing';
  const out = now === 'out';
  const contact = busy || now === 'wrap' ? status.caller : undefined;
  const phone = devices.data?.find((device) => device.id === status.deviceId);
  const queueName = (id: string) => queues.data?.byId.get(id)?.displayName ?? shortId(id);
  // The reason belongs to the pause, the present one or the one that follows the contact.
  const reason = now === 'paused' || (busy && chosen === 'paused') ? status.pauseReason : '';
  const supervisor = permissions.has('agents.manage');
  const queue = queues.data?.byId.get(status.contactQueueId);
  const run = (verb: AgentVerb, body?: Record<string, unknown>) =>
    act.mutate({ agentId: 'me', verb, ...(body ? { body } : {}) }, { onError: failed });
  // With one phone the server knows which; with several the one shown is meant.
  const several = (devices.data?.length ?? 0) > 1;
  const device = deviceId ?? (several ? devices.data?.[0]?.id : undefined) ?? null;
  const logIn = (ready: boolean) => run('logIn', { ready, ...(device ? { deviceId: device } : {}) });
  // Who is logged out after this contact and thinks again logs in again, with the phone that is in use.
  const leaving = !out && chosen === 'out';
  const back = (ready: boolean) => run('logIn', { ready, ...(status.deviceId ? { deviceId: status.deviceId } : {}) });
  const hint = out
    ? t('desk.outHint')
    : now === 'available'
      ? t('desk.readyHint')
      : now === 'paused'
        ? t('desk.pausedHint')
        : now === 'missed'
          ? t('desk.missedHint')
          : busy && chosen !== 'available'
            ? t('desk.callHint', { state: t(`state.${chosen}`).toLowerCase() })
            : now === 'ringing'
              ? t('desk.ringing')
              : undefined;

  return (
    <section className="strip" data-tone={TONE[now]} data-state={status.state} aria-label={t('desk.status')}>
      <div className="now">
        <span className="disc" data-tone={TONE[now]}>
          <Glyph s={now} size={20} />
        </span>
        <div className="grow">
          {contact && (
            <p className="who">
              <span className="sr">{t('desk.contact')} </span>
              <Caller party={contact} />
            </p>
          )}
          <p className={contact ? 'mid' : 'who'}>
            <span role="status">{t(`state.${now}`)}</span>
            {contact && status.contactQueueId && (
              <>
                {' · '}
                <bdi>{queueName(status.contactQueueId)}</bdi>
              </>
            )}
            {reason && (
              <span className="mid reason" data-reason>
                {' · '}
                <bdi>{reason}</bdi>
              </span>
            )}
          </p>
          {hint && <p className="mid">{hint}</p>}
          {now === 'wrap' && status.wrapUpUntil !== undefined && (
            <p className="mid num">
              {t('desk.wrapEnds', { time: '' })}
              <Until at={status.wrapUpUntil} />
            </p>
          )}
        </div>
        {!out && (
          <span className="timer">
            <Since at={status.since} />
          </span>
        )}
      </div>
      {!out && (
        <dl className="kv">
          <dt>{t('desk.queues')}</dt>
          <dd>{status.queueIds.length > 0 ? status.queueIds.map(queueName).join(', ') : t('desk.noQueues')}</dd>
          <dt>{t('desk.phone')}</dt>
          <dd>
            {phone && <bdi>{deviceName(phone)}</bdi>}
            {phone && ' · '}
            <span className={status.deviceOnline ? 'mid' : 'tone-bad'}>{status.deviceOnline ? t('desk.phoneOn') : t('desk.phoneOff')}</span>
          </dd>
        </dl>
      )}
      <SnapshotNotice snapshot="devices" query={devices} />
      <SnapshotNotice snapshot="callQueues" query={queues} />
      <div className="acts">
        {out ? (
          <>
            {several && (
              <Select
                label={t('desk.phone')}
                data={devices.data?.map((one) => ({ value: one.id, label: deviceName(one) })) ?? []}
                value={device}
                onChange={setDeviceId}
                allowDeselect={false}
              />
            )}
            <Button loading={act.isPending} onClick={() => logIn(true)}>
              {t('desk.logIn')}
            </Button>
            <Button variant="default" disabled={act.isPending} onClick={() => logIn(false)}>
              {t('desk.logInPaused')}
            </Button>
          </>
        ) : (
          <>
            {(now === 'missed' || chosen !== 'available') && (
              <Button disabled={act.isPending} onClick={() => (leaving ? back(true) : run('setReady'))}>
                {t('desk.ready')}
              </Button>
            )}
            {now === 'wrap' && mayEnd(queue, supervisor) && (
              <Button disabled={act.isPending} onClick={() => run('endWrapUp')}>
                {t('desk.endWrapUp')}
              </Button>
            )}
            {now === 'wrap' && mayProlong(queue, supervisor) && (
              <Button variant="default" disabled={act.isPending} onClick={() => run('extendWrapUp')}>
                {t('desk.prolong')}
              </Button>
            )}
            {chosen !== 'paused' && (
              <Button variant="default" disabled={act.isPending} onClick={() => (leaving ? back(false) : run('pause'))}>
                {t('desk.pause')}
              </Button>
            )}
            {chosen !== 'out' && (
              <Button variant="default" disabled={act.isPending} onClick={() => run('logOut')}>
                {t('desk.logOut')}
              </Button>
            )}
          </>
        )}
      </div>
      <p className="small dim">{t('desk.codes')}</p>
    </section>
  );
}
