// @vitest-environment happy-dom
import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import { useState } from 'react';
import { afterEach, describe, expect, it } from 'vitest';
import { queueStatus } from '../../api/read';
import en from '../../i18n/locales/en.json';
import { refusal, stage, strike } from '../../testing/stage';
import { priorityOf } from './ContactDialog';
import { QueueTable } from './QueueTable';

afterEach(strike);

const waiting = (contact: object) => ({ contactId: 'con_1', position: 1, caller: { number: '+39055123' }, priority: 7, ...contact });
const queue = (id: string, name: string, ...contacts: object[]) =>
  queueStatus({ queueId: id, displayName: name, waiting: contacts.length, agentsLoggedIn: 1, contacts });
const table = (contact: object = {}) => (
  <QueueTable
    queues={[queue('que_1', 'Sales', waiting(contact)), queue('que_2', 'Support')]}
    settings={undefined}
    today={undefined}
    reports={false}
    nameOf={(id) => id}
    queueOf={(id) => (id === 'que_2' ? 'Support' : id)}
  />
);
/** The table, and the contact leaves it when told. */
function Leaves() {
  const [gone, setGone] = useState(false);
  return (
    <>
      <button onClick={() => setGone(true)}>it leaves</button>
      {gone ? null : table()}
    </>
  );
}
const AT = '/v1/queues/que_1/contacts/con_1';
const SUPERVISOR = ['live.view', 'contacts.manage'];

async function choose(action: string) {
  fireEvent.click(screen.getByRole('button', { name: 'Actions for +39055123' }));
  fireEvent.click(await screen.findByRole('menuitem', { name: action }));
}

describe('a waiting contact', () => {
  it('is explained to who may look and acted on only by who may manage contacts', async () => {
    await stage(table(), ['live.view'], {});
    expect(screen.getByRole('button', { name: 'Why is +39055123 still waiting?' })).toBeTruthy();
    expect(screen.queryByRole('button', { name: 'Actions for +39055123' })).toBeNull();
  });
  it('shows where a person moves it', async () => {
    await stage(table({ movingTo: 'que_2' }), ['live.view'], {});
    expect(screen.getByText('moving to Support')).toBeTruthy();
  });
  it('is picked up at once', async () => {
    const here = await stage(table(), SUPERVISOR, { [`POST ${AT}:pickUp`]: {} });
    await choose('Pick up');
    await screen.findByText('Your phone rings for +39055123.');
    expect(here.asked).toEqual([{ method: 'POST', path: `${AT}:pickUp`, body: {} }]);
  });
  it('tells in words with the code why it cannot be picked up', async () => {
    await stage(table(), SUPERVISOR, { [`POST ${AT}:pickUp`]: refusal(409, 'device_offline') });
    await choose('Pick up');
    await screen.findByText(en.problem.device_offline);
    expect(screen.getByText('device_offline')).toBeTruthy();
  });
  it('tells so too when the contact has left the table by then', async () => {
    const here = await stage(<Leaves />, SUPERVISOR, {});
    let answer: (refused: Response) => void = () => undefined;
    here.answers[`POST ${AT}:pickUp`] = new Promise<Response>((resolve) => (answer = resolve));
    await choose('Pick up');
    fireEvent.click(screen.getByRole('button', { name: 'it leaves' }));
    await waitFor(() => expect(screen.queryByText('+39055123')).toBeNull());
    answer(refusal(409, 'contact_taken'));
    await screen.findByText(en.problem.contact_taken);
  });
  it('gets a priority in the range of the API', async () => {
    const here = await stage(table(), SUPERVISOR, { [`POST ${AT}:setPriority`]: {} });
    await choose('Set priority…');
    const dialog = await screen.findByRole('dialog', { name: 'Priority of +39055123' });
    const field = within(dialog).getByLabelText<HTMLInputElement>('Priority');
    expect(field.value).toBe('7');
    fireEvent.change(field, { target: { value: '1001' } });
    fireEvent.click(within(dialog).getByRole('button', { name: 'Set priority' }));
    await within(dialog).findByText('A whole number from 0 to 1000.');
    expect(here.asked).toEqual([]);
    fireEvent.change(field, { target: { value: '900' } });
    fireEvent.click(within(dialog).getByRole('button', { name: 'Set priority' }));
    await screen.findByText('+39055123 has priority 900.');
    expect(here.asked).toEqual([{ method: 'POST', path: `${AT}:setPriority`, body: { priority: 900 } }]);
    expect(screen.queryByRole('dialog')).toBeNull();
  });
  it('moves to another queue, never to its own', async () => {
    const here = await stage(table(), SUPERVISOR, { [`POST ${AT}:move`]: {} });
    await choose('Move to another queue…');
    const dialog = await screen.findByRole('dialog', { name: 'Move +39055123 out of Sales' });
    fireEvent.click(within(dialog).getByRole('button', { name: 'Move' }));
    await within(dialog).findByText('Choose a queue.');
    fireEvent.click(within(dialog).getByLabelText('Queue', { selector: 'input' }));
    const options = await screen.findAllByRole('option');
    expect(options.map((option) => option.textContent)).toEqual(['Support']);
    fireEvent.click(options[0]!);
    fireEvent.click(within(dialog).getByRole('button', { name: 'Move' }));
    await screen.findByText('+39055123 goes to Support.');
    expect(here.asked).toEqual([{ method: 'POST', path: `${AT}:move`, body: { toQueueId: 'que_2' } }]);
  });
  it('is taken out after a question that Enter alone does not answer, and stays to tell why it is too late', async () => {
    const here = await stage(table(), SUPERVISOR, { [`POST ${AT}:takeOut`]: refusal(409, 'contact_not_waiting') });
    await choose('Take out of the queue…');
    const dialog = await screen.findByRole('dialog', { name: 'Take +39055123 out of Sales' });
    expect(within(dialog).getByText(en.callers.takeOutEffect)).toBeTruthy();
    await waitFor(() => expect(document.activeElement?.textContent).toBe('Cancel'));
    expect(here.asked).toEqual([]);
    fireEvent.click(within(dialog).getByRole('button', { name: 'Take out' }));
    expect((await within(dialog).findByRole('alert')).textContent).toBe(`${en.problem.contact_not_waiting}contact_not_waiting`);
    here.answers[`POST ${AT}:takeOut`] = {};
    fireEvent.click(within(dialog).getByRole('button', { name: 'Take out' }));
    await screen.findByText('+39055123 is taken out of Sales.');
    expect(here.asked.map(({ path }) => path)).toEqual([`${AT}:takeOut`, `${AT}:takeOut`]);
  });
});

describe('priorityOf', () => {
  it.each<[string | number, number | undefined]>([
    [0, 0],
    [1000, 1000],
    ['12', 12],
    [1001, undefined],
    [-1, undefined],
    [1.5, undefined],
    ['', undefined],
    ['-', undefined],
  ])('reads %j as %j', (typed, priority) => {
    expect(priorityOf(typed)).toBe(priority);
  });
});
