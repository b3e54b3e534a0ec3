// @vitest-environment happy-dom
import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import { afterEach, describe, expect, it } from 'vitest';
import { contact, queueStatus } from '../../../api/read';
import { agentReasons, waitingReasons } from '../../../api/reasons';
import en from '../../../i18n/locales/en.json';
import italian from '../../../i18n/locales/it.json';
import { refusal, stage, strike } from '../../../testing/stage';
import { WhyAgent } from './WhyAgent';
import { WhyOffered } from './WhyOffered';
import { WhyWaiting } from './WhyWaiting';
import { HINDRANCES, VERDICTS, knownHindrance, knownVerdict, markOfVerdict } from './verdict';

afterEach(strike);

const CONTACT = queueStatus({ contacts: [{ contactId: 'con_1', position: 3, caller: { number: '+39055123' } }] }).contacts[0]!;
const names: Record<string, string> = { usr_a: 'Anna', usr_b: 'Bruno', usr_c: 'Carla' };
const nameOf = (id: string) => names[id] ?? id;
const WAITING = 'GET /v1/queues/que_1/contacts/con_1/reasons';
const reasons = {
  sentenceEn: '3 agents are logged in: 1 in contact.',
  sentenceIt: '3 agenti sono connessi: 1 in contatto.',
  position: 3,
  agentsLoggedIn: 3,
  needs: [{ skillId: 'ski_de', op: 'SKILL_OP_MORE_THAN', level: 4 }],
  ringsAt: ['usr_c'],
  counts: [
    { verdict: 'VERDICT_IN_CONTACT', agents: 3 },
    { verdict: 'VERDICT_UNSKILLED', agents: 1 },
  ],
  candidates: [
    { agentId: 'usr_a', verdict: 'VERDICT_IN_CONTACT' },
    { agentId: 'usr_b', verdict: 'VERDICT_UNSKILLED', unmet: [{ skillId: 'ski_de', level: 5 }] },
  ],
  asOf: '2026-11-27T10:00:00Z',
};
const page = <WhyWaiting queueId="que_1" contact={CONTACT} nameOf={nameOf} />;
const ask = () => fireEvent.click(screen.getByRole('button', { name: 'Why is +39055123 still waiting?' }));

describe('why a contact waits', () => {
  it('is asked only when somebody wants to know, and told as a sentence with every agent and rule', async () => {
    const here = await stage(page, ['live.view', 'skills.view'], { [WAITING]: reasons, 'GET /v1/skills': { skills: [{ id: 'ski_de', displayName: 'German' }] } });
    expect(here.asked).toEqual([]);
    ask();
    const panel = await screen.findByRole('dialog', { name: 'Why is +39055123 still waiting?' });
    await within(panel).findByText(reasons.sentenceEn);
    await within(panel).findByText('German > 4');
    const rows = within(panel).getAllByRole('row').slice(1);
    expect(rows.map((row) => row.textContent)).toEqual(['AnnaIn contact', 'BrunoSkill missing: German ≥ 5']);
    expect(within(panel).getByText('Carla')).toBeTruthy();
    // Four are counted and two are listed.
    expect(within(panel).getByText('and 2 more agents')).toBeTruthy();
  });
  it('does not ask for names of skills that the person may not see', async () => {
    const here = await stage(page, ['live.view'], { [WAITING]: reasons });
    ask();
    await screen.findByText(reasons.sentenceEn);
    expect(here.asked.map(({ path }) => path)).toEqual(['/v1/queues/que_1/contacts/con_1/reasons']);
    expect(screen.getByText('ski_de > 4')).toBeTruthy();
  });
  it('is told in Italian to who reads Italian', async () => {
    await stage(page, ['live.view'], { [WAITING]: reasons }, 'it');
    fireEvent.click(screen.getByRole('button', { name: 'Perché +39055123 è ancora in attesa?' }));
    await screen.findByText(reasons.sentenceIt);
    expect(screen.getByText('In contatto')).toBeTruthy();
  });
  it('closes with Escape and gives the focus back to its button', async () => {
    await stage(page, ['live.view'], { [WAITING]: reasons });
    const button = screen.getByRole('button', { name: 'Why is +39055123 still waiting?' });
    button.focus();
    ask();
    const panel = await screen.findByRole('dialog');
    expect(button.getAttribute('aria-expanded')).toBe('true');
    await waitFor(() => expect(panel.contains(document.activeElement)).toBe(true));
    fireEvent.keyDown(panel, { key: 'Escape' });
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    await waitFor(() => expect(document.activeElement).toBe(button));
    expect(button.getAttribute('aria-expanded')).toBe('false');
  });
  it('says in words with the code that the contact waits no longer', async () => {
    await stage(page, ['live.view'], { [WAITING]: refusal(409, 'contact_not_waiting') });
    ask();
    const told = await within(await screen.findByRole('dialog')).findByRole('alert');
    expect(told.textContent).toBe(`${en.problem.contact_not_waiting}contact_not_waiting`);
  });
});

describe('why an agent gets no contact', () => {
  const queueOf = (id: string) => (id === 'que_1' ? 'Sales' : 'Support');
  it('tells what is in the way and what each queue has', async () => {
    await stage(<WhyAgent agentId="usr_a" name="Anna" queueOf={queueOf} />, ['live.view'], {
      'GET /v1/agents/usr_a/reasons': {
        sentenceEn: 'Paused for lunch.',
        hindrances: [{ kind: 'KIND_PAUSED', pauseReason: 'Lunch' }, { kind: 'KIND_NOT_RESPONDING_IN_QUEUE', queueId: 'que_2' }],
        queues: [
          { queueId: 'que_1', waiting: 3, unskilled: 2, excluded: 1 },
          { queueId: 'que_2', waiting: 1, couldServe: 'con_9' },
          { queueId: 'que_3' },
        ],
      },
    });
    fireEvent.click(screen.getByRole('button', { name: 'Why does Anna get no contact?' }));
    const panel = await screen.findByRole('dialog');
    await within(panel).findByText('Paused for lunch.');
    expect(within(panel).getAllByRole('listitem').map((item) => item.textContent)).toEqual(['Paused · Lunch', 'Not responding in one queue · Support']);
    expect(within(panel).getAllByRole('row').slice(1).map((row) => row.textContent)).toEqual([
      'Sales32 need another skill · 1 not for this agent for now',
      'Support1can be given one',
      'Support0–',
    ]);
  });
});

describe('why a contact was offered to whom', () => {
  const queueOf = (id: string) => (id === 'que_1' ? 'Sales' : 'Support');
  const page = <WhyOffered contact={contact({ id: 'con_1', caller: { number: '+39055123' } })} nameOf={nameOf} queueOf={queueOf} />;
  const open = () => fireEvent.click(screen.getByRole('button', { name: 'Who was offered +39055123, and why?' }));
  it('tells each offer with its sentence, and who else wanted the agent', async () => {
    const decision = (sentenceEn: string) => ({ sentenceEn, sentenceIt: '' });
    await stage(page, ['contacts.view'], {
      'GET /v1/contacts/con_1/decisions': {
        decisions: [
          { queueId: 'que_1', agentId: 'usr_a', reservation: '1', decision: decision('The only free agent who fits.') },
          { queueId: 'que_1', agentId: 'usr_b', reservation: '1', decision: decision('Chosen of 2.'), bids: [{ queueId: 'que_1', weight: 9 }, { queueId: 'que_2' }] },
        ],
      },
    });
    open();
    const offers = await screen.findAllByRole('listitem');
    expect(offers.map((offer) => offer.textContent)).toEqual([
      'AnnaSales–The only free agent who fits.',
      'BrunoSales–Chosen of 2.Wanted by several queues, with their scores: Sales 9 · Support 0. The first one won.',
    ]);
  });
  it('says that there was no offer', async () => {
    await stage(page, ['contacts.view'], { 'GET /v1/contacts/con_1/decisions': {} });
    open();
    await screen.findByText(en.why.neverOffered);
  });
});

describe('words of verdicts and hindrances', () => {
  it.each([
    ['English', en],
    ['Italian', italian],
  ])('are complete in %s', (_, words) => {
    expect(Object.keys(words.verdict)).toEqual(VERDICTS);
    expect(Object.keys(words.hindrance)).toEqual(HINDRANCES);
  });
  it('are those of another reason where a newer centre has one', () => {
    expect(knownVerdict('VERDICT_NEW' as never)).toBe('VERDICT_UNSPECIFIED');
    expect(markOfVerdict('toString' as never)).toBeUndefined();
    expect(knownHindrance('KIND_NEW' as never)).toBe('KIND_UNSPECIFIED');
  });
});

describe('readers of reasons', () => {
  it('fill what ProtoJSON leaves out', () => {
    expect(waitingReasons({})).toMatchObject({ position: 0, candidates: [], others: 0, needs: [], relaxTime: undefined });
    expect(agentReasons({ queues: [{ queueId: 'que_1' }] }).queues[0]).toMatchObject({ waiting: 0, couldServe: false });
  });
});
