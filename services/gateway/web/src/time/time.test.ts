import { describe, expect, it } from 'vitest';
import { learnt } from './clock';
import { clockText, isoDuration, localeOf, shortInstant, startOfDay, timeOfDay } from './format';

describe('clockText', () => {
  it.each([
    [0, '0:00'],
    [999, '0:00'],
    [9000, '0:09'],
    [65_000, '1:05'],
    [3_599_999, '59:59'],
    [3_600_000, '01:00:00'],
    [3_725_000, '01:02:05'],
    [-5000, '0:00'],
  ])('%d ms is %s', (ms, text) => {
    expect(clockText(ms)).toBe(text);
  });
  it('has an ISO twin', () => {
    expect(isoDuration(65_400)).toBe('PT65S');
    expect(isoDuration(-1)).toBe('PT0S');
  });
});

describe('instants', () => {
  const at = new Date(2026, 10, 23, 9, 5, 7).getTime();
  it('shows 24 hours in both languages, midnight as 00', () => {
    expect(timeOfDay(at, 'it')).toBe('09:05:07');
    expect(timeOfDay(new Date(2026, 10, 23, 0, 0, 1).getTime(), 'en-US')).toBe('00:00:01');
  });
  it('leaves the day out today only', () => {
    expect(shortInstant(at, at + 1000, 'en-GB')).toBe('09:05');
    expect(shortInstant(at, at + 86_400_000, 'en-GB')).toMatch(/23 Nov/);
  });
  it('finds midnight', () => {
    expect(new Date(startOfDay(at)).getHours()).toBe(0);
    expect(at - startOfDay(at)).toBe((9 * 3600 + 5 * 60 + 7) * 1000);
  });
  it('takes the region of the browser for the language chosen here', () => {
    expect(localeOf('it', ['en-US', 'it-CH'])).toBe('it-CH');
    expect(localeOf('en', ['it-IT'])).toBe('en-GB');
    expect(localeOf('it', ['en-US'])).toBe('it');
  });
});

describe('learnt', () => {
  it('follows a wrong clock and ignores the way of the answer', () => {
    expect(learnt(0, 100_000, 100_200)).toBe(0);
    expect(learnt(0, 160_000, 100_000)).toBe(60_000);
    expect(learnt(60_000, 160_000, 100_400)).toBe(60_000);
  });
});
