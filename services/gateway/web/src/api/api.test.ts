import { readFileSync } from 'node:fs';
import i18next, { type TFunction } from 'i18next';
import { beforeAll, describe, expect, it } from 'vitest';
import en from '../i18n/locales/en.json';
import it_ from '../i18n/locales/it.json';
import { MET, NOT_MET } from './codes';
import { Problem, asSentence, problemOf, sentence } from './problem';
import { agentStatus, contact, durationMs, instant, queueCallerFigures, queueStatus } from './read';
import { rotateAfter } from './session';

const answer = (status: number, body: string, type = 'application/problem+json') =>
  new Response(body, { status, headers: { 'content-type': type } });

describe('problemOf', () => {
  it('reads problem+json with its fields', async () => {
    const problem = await problemOf(
      answer(400, JSON.stringify({ code: 'validation_failed', detail: 'x', errors: [{ pointer: '/login', code: 'field_required', detail: 'login is needed' }, 7] })),
    );
    expect(problem).toMatchObject({ status: 400, code: 'validation_failed', detail: 'x' });
    expect(problem.fields).toHaveLength(1);
  });
  it.each([
    ['<html>', 'text/html'],
    ['{', 'application/problem+json'],
    ['null', 'application/json'],
    ['{"code":"<script>"}', 'application/json'],
  ])('falls back to the status for %s', async (body, type) => {
    expect((await problemOf(answer(502, body, type))).code).toBe('http_502');
  });
});

describe('sentence', () => {
  let t: TFunction;
  beforeAll(async () => {
    t = await i18next.init({ lng: 'it', resources: { en: { translation: en }, it: { translation: it_ } } });
  });
  it('uses our words for codes we know', () => {
    expect(sentence(new Problem(401, 'credentials_wrong', 'nope'), t)).toEqual({ text: it_.problem.credentials_wrong, code: 'credentials_wrong' });
    expect(sentence(Problem.unreachable(), t).text).toBe(it_.problem.unreachable);
  });
  it('speaks the language of the person also where it does not know the code', () => {
    const strange = new Problem(409, 'phone_lost', 'this person has no phone; create one first');
    expect(sentence(strange, t)).toEqual({ text: it_.problem.refused, code: 'phone_lost' });
  });
  it('lets the server speak to those who read English', async () => {
    const english = await i18next.changeLanguage('en');
    const strange = new Problem(409, 'phone_lost', 'this person has no phone; create one first');
    expect(sentence(strange, english)).toEqual({ text: 'This person has no phone; create one first.', code: 'phone_lost' });
    expect(sentence(new Problem(403, 'wrap_up_not_endable', 'no'), english).text).toBe(en.problem.wrap_up_not_endable);
    await i18next.changeLanguage('it');
  });
  it('says how long to wait where the server does', async () => {
    const body = JSON.stringify({ code: 'too_many_attempts', detail: 'x' });
    const answered = new Response(body, { status: 429, headers: { 'content-type': 'application/problem+json', 'retry-after': '95' } });
    expect(sentence(await problemOf(answered), t).text).toBe('Troppi tentativi. Riprova tra 1:35.');
    expect(sentence(new Problem(429, 'too_many_attempts', ''), t).text).toBe('Troppi tentativi. Aspetta un momento e riprova.');
    expect(sentence(new Problem(429, 'http_429', '', [], 3000), t).text).toBe('Troppe richieste. Riprova tra 0:03.');
  });
  it('has something to say when nobody else has', () => {
    expect(sentence(new Problem(503, 'http_503', ''), t).text).toBe(it_.problem.server);
    expect(sentence(new Problem(403, 'http_403', ''), t).text).toBe(it_.problem.forbidden);
    expect(sentence(new TypeError('x'), t).code).toBe('page_error');
  });
  it('writes capitals and full stops', () => {
    expect(asSentence(' what now? ')).toBe('What now?');
    expect(asSentence('')).toBe('');
  });
});

describe('languages', () => {
  const keys = (tree: object, path = ''): string[] =>
    Object.entries(tree).flatMap(([key, value]) => (typeof value === 'object' ? keys(value as object, `${path}${key}.`) : [path + key]));
  it('have the same words', () => {
    expect(keys(it_).sort()).toEqual(keys(en).sort());
  });
});

describe('codes', () => {
  // The document's first columns; fields' codes come inside `validation_failed`.
  const text = readFileSync(new URL('../../../../../docs/errors.md', import.meta.url), 'utf8');
  const documented = text
    .split(/^## /m)
    .filter((section) => !section.startsWith('Fields'))
    .flatMap((section) => section.split('\n'))
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`([a-z0-9_]+)`/g)].map((match) => match[1] ?? ''));
  it('are all sorted into those a page can meet and the others', () => {
    expect(documented.length).toBeGreaterThan(50);
    const sorted = [...MET, ...NOT_MET].sort();
    expect(new Set(sorted).size).toBe(sorted.length);
    expect(sorted).toEqual([...new Set(documented)].sort());
  });
  it.each([
    ['English', en],
    ['Italian', it_],
  ])('have words in %s where a page can meet them', (_, words) => {
    const known: Record<string, string> = words.problem;
    expect(MET.filter((code) => !known[code])).toEqual([]);
  });
});

describe('read', () => {
  it('fills what ProtoJSON leaves out', () => {
    expect(queueStatus({ queueId: 'que_1' })).toMatchObject({ waiting: 0, loggedIn: 0, longestWaitSince: undefined, contacts: [] });
    expect(queueStatus({ queueId: 'que_1' })).toMatchObject({ meanWait: undefined, expectedWaitMs: undefined });
    // No wait and a mean of nothing are known values, and ProtoJSON leaves their numbers out.
    expect(queueStatus({ meanWait: { sample: 3 }, expectedWait: {} })).toMatchObject({ meanWait: { ms: 0, sample: 3, complete: false }, expectedWaitMs: 0 });
    expect(queueStatus({ expectedWait: { waitMs: '65000' } }).expectedWaitMs).toBe(65_000);
    expect(agentStatus({ agentId: 'usr_1' })).toMatchObject({ state: 'AGENT_STATE_LOGGED_OUT', chosen: 'AGENT_STATE_LOGGED_OUT', caller: undefined });
  });
  it('takes 64-bit integers as strings', () => {
    expect(contact({ id: 'con_1', waitMs: '61000', talkMs: 5 })).toMatchObject({ waitMs: 61_000, talkMs: 5 });
  });
  it('reads durations and instants, and no nonsense', () => {
    expect(durationMs('15s')).toBe(15_000);
    expect(durationMs('1.500s')).toBe(1500);
    expect(durationMs('15')).toBeUndefined();
    expect(instant('2026-11-23T10:00:00Z')).toBe(Date.UTC(2026, 10, 23, 10));
    expect(instant('soon')).toBeUndefined();
  });
});

describe('rotateAfter', () => {
  it('renews with a fifth of the life left, within limits', () => {
    expect(rotateAfter(300_000)).toBe(240_000);
    expect(rotateAfter(1000)).toBe(15_000);
    expect(rotateAfter(-5)).toBe(15_000);
    expect(rotateAfter(86_400_000)).toBe(600_000);
  });
});

describe('queueCallerFigures', () => {
  it('counts the service level over who was answered or gave up, not over who waits or gave up at once', () => {
    const figures = queueCallerFigures({ offered: '9', answered: '4', abandoned: '3', shortAbandoned: '1', flowOut: '2', serviceLevelPercent: 50 });
    expect(figures.flowOut).toBe(2);
    expect(figures).toMatchObject({ offered: 9, serviceLevelPercent: 50, serviceLevelBase: 6 });
    expect(queueCallerFigures(undefined).serviceLevelBase).toBe(0);
  });
});
