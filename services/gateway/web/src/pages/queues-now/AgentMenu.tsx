import { ActionIcon, Menu } from '@mantine/core';
import { MoreHorizontal } from 'lucide-react';
import { Fragment, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useAgentAct, useDevicesOf, type AgentVerb } from '../../api/queries';
import { Glyph } from '../../parts/Glyph';
import { useToasts } from '../../parts/Toasts';
import { deviceName } from '../../parts/People';
import { statusOf, type Status } from '../../parts/status';
import type { AgentRow } from './order';

/** What can be done for an agent in this state; the order is that of the menu. */
export function verbsFor({ state, chosen }: Pick<AgentRow, 'state' | 'chosen'>): AgentVerb[] {
  if (state === 'AGENT_STATE_LOGGED_OUT') return ['logIn'];
  const verbs: AgentVerb[] = [];
  if (state === 'AGENT_STATE_WRAP_UP') verbs.push('endWrapUp', 'extendWrapUp');
  if (state === 'AGENT_STATE_NOT_RESPONDING' || chosen !== 'AGENT_STATE_READY') verbs.push('setReady');
  if (chosen !== 'AGENT_STATE_PAUSED') verbs.push('pause');
  if (chosen !== 'AGENT_STATE_LOGGED_OUT') verbs.push('logOut');
  return verbs;
}

const MARK: Readonly<Record<AgentVerb, Status>> = {
  logIn: 'available',
  setReady: 'available',
  pause: 'paused',
  endWrapUp: 'wrap',
  extendWrapUp: 'wrap',
  logOut: 'out',
};
/** Ending and prolonging are about the wrap-up now, not about what comes after it. */
const ABOUT_NOW: ReadonlySet<AgentVerb> = new Set(['endWrapUp', 'extendWrapUp']);

export function AgentMenu({ row }: { row: AgentRow }) {
  const { t } = useTranslation();
  const act = useAgentAct();
  const { done, failed } = useToasts();
  const [open, setOpen] = useState(false);
  const out = row.state === 'AGENT_STATE_LOGGED_OUT';
  // Only who logs in with several phones has to say which one; the server knows the only one.
  const devices = useDevicesOf(row.agentId, open && out);
  const several = devices.data && devices.data.length > 1 ? devices.data : undefined;
  const run = (verb: AgentVerb, deviceId?: string) =>
    act.mutate(
      { agentId: row.agentId, verb, ...(verb === 'logIn' ? { body: { ready: true, ...(deviceId ? { deviceId } : {}) } } : {}) },
      {
        onSuccess: (status) =>
          done(
            // During a contact the choice waits for its end.
            status.state !== status.chosen && !ABOUT_NOW.has(verb)
              ? t('agents.afterwards', { name: row.name, state: t(`state.${statusOf(status.chosen)}`).toLowerCase() })
              : t(`agents.done.${verb}`, { name: row.name }),
          ),
        onError: failed,
      },
    );
  return (
    <Menu width={220} opened={open} onChange={setOpen}>
      <Menu.Target>
        <ActionIcon aria-label={t('agents.menu', { name: row.name })} loading={act.isPending}>
          <MoreHorizontal size={16} aria-hidden="true" />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {verbsFor(row).map((verb, index) => (
          <Fragment key={verb}>
            {verb === 'logOut' && index > 0 && <Menu.Divider />}
            {verb === 'logIn' && several ? (
              <>
                <Menu.Label>{t('agents.logInWith')}</Menu.Label>
                {several.map((device) => (
                  <Menu.Item key={device.id} leftSection={<Glyph s="available" />} onClick={() => run('logIn', device.id)}>
                    <bdi>{deviceName(device)}</bdi>
                  </Menu.Item>
                ))}
              </>
            ) : (
              <Menu.Item leftSection={<Glyph s={MARK[verb]} />} disabled={verb === 'logIn' && devices.isPending && open} onClick={() => run(verb)}>
                {t(`agents.${verb}`)}
              </Menu.Item>
            )}
          </Fragment>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
