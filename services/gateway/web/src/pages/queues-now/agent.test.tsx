// @vitest-environment happy-dom
import { fireEvent, screen } from '@testing-library/react';
import { afterEach, describe, expect, it } from 'vitest';
import { agentStatus } from '../../api/read';
import { refusal, stage, strike } from '../../testing/stage';
import en from '../../i18n/locales/en.json';
import { AgentTable } from './AgentTable';

afterEach(strike);

const wrapping = { agentId: 'usr_a', state: 'AGENT_STATE_WRAP_UP', chosen: 'AGENT_STATE_READY', deviceOnline: true } as const;
const table = <AgentTable statuses={[agentStatus(wrapping)]} users={new Map([['usr_a', { id: 'usr_a', login: 'anna', displayName: 'Anna', roles: [], disabled: false }]])} queueOf={(id) => id} />;
const EXTEND = 'POST /v1/agents/usr_a:extendWrapUp';

describe('an agent in wrap-up', () => {
  it('is explained to who may look and acted on only by who may manage agents', async () => {
    await stage(table, ['live.view'], {});
    expect(screen.getByRole('button', { name: 'Why does Anna get no contact?' })).toBeTruthy();
    expect(screen.queryByRole('button', { name: 'Actions for Anna' })).toBeNull();
  });
  it('gets more time from a supervisor, or an answer why not', async () => {
    const here = await stage(table, ['live.view', 'agents.manage'], { [EXTEND]: wrapping });
    const prolong = async () => {
      fireEvent.click(screen.getByRole('button', { name: 'Actions for Anna' }));
      fireEvent.click(await screen.findByRole('menuitem', { name: 'Prolong wrap-up by 30 s' }));
    };
    await prolong();
    await screen.findByText('Anna has 30 s more.');
    expect(here.asked).toContainEqual({ method: 'POST', path: '/v1/agents/usr_a:extendWrapUp', body: {} });
    here.answers[EXTEND] = refusal(409, 'not_in_wrap_up');
    await prolong();
    await screen.findByText(en.problem.not_in_wrap_up);
  });
});
