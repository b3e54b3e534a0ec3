// @vitest-environment happy-dom
import { fireEvent, screen } from '@testing-library/react';
import { afterEach, describe, expect, it } from 'vitest';
import { stage, strike } from '../../testing/stage';
import { Desk } from './Desk';

afterEach(strike);

const ME = 'GET /v1/agents/me';
const anna = { agentId: 'usr_me', deviceId: 'dev_1', deviceOnline: true, chosen: 'AGENT_STATE_READY', queueIds: ['que_1'], contactQueueId: 'que_1' };
const desk = (status: object, queue: object = {}) =>
  stage(<Desk />, ['agent.work', 'queues.view'], {
    [ME]: { ...anna, ...status },
    'GET /v1/devices': { devices: [{ id: 'dev_1', displayName: 'Phone' }] },
    'GET /v1/call-queues': { callQueues: [{ id: 'que_1', displayName: 'Sales', ...queue }] },
  });

describe('an agent in wrap-up', () => {
  const offered = async (queue: object) => {
    await desk({ state: 'AGENT_STATE_WRAP_UP' }, queue);
    await screen.findAllByText('Sales');
    const buttons = screen.getAllByRole('button').map((button) => button.textContent);
    return [buttons.includes('End wrap-up'), buttons.includes('30 s more')];
  };
  it('is offered to end or prolong it where the queue allows it, and where nothing else would end it', async () => {
    for (const [mode, agentMayEndWrapUp, ends, prolongs] of [
      ['TIMED', false, false, false],
      ['TIMED', true, true, false],
      ['TIMED_EXTENDABLE', false, false, true],
      ['UNTIL_DONE', false, true, false],
      ['FIXED_NO_EARLY_EXIT', true, false, false],
    ] as const) {
      expect(await offered({ wrapUpMode: `WRAP_UP_MODE_${mode}`, agentMayEndWrapUp }), mode).toEqual([ends, prolongs]);
      await strike();
    }
  });
});

describe('an agent who logged out during a call', () => {
  it('thinks again by logging in again: nobody else can be made ready or paused', async () => {
    const here = await desk({ state: 'AGENT_STATE_CONNECTED', chosen: 'AGENT_STATE_LOGGED_OUT' });
    const LOG_IN = '/v1/agents/me:logIn';
    for (const [name, ready] of [
      ['Ready', true],
      ['Pause', false],
    ] as const) {
      const before = here.asked.length;
      fireEvent.click(await screen.findByRole('button', { name }));
      await expect.poll(() => here.asked.slice(before).find((asked) => asked.method === 'POST')).toEqual({ method: 'POST', path: LOG_IN, body: { ready, deviceId: 'dev_1' } });
    }
  });
});
