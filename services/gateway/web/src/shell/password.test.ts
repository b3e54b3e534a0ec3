import { describe, expect, it } from 'vitest';
import { faultOf } from './password';

describe('faultOf', () => {
  const good = { current: 'the old password', fresh: 'a much newer one', again: 'a much newer one' };
  it('lets a good change through', () => {
    expect(faultOf(good)).toBeUndefined();
  });
  it.each([
    [{ current: '' }, 'current', 'currentMissing'],
    [{ fresh: 'elevenchars', again: 'elevenchars' }, 'fresh', 'short'],
    // Six people are twelve UTF-16 units, but six characters.
    [{ fresh: '👩👩👩👩👩👩', again: '👩👩👩👩👩👩' }, 'fresh', 'short'],
    [{ fresh: 'è'.repeat(513), again: 'è'.repeat(513) }, 'fresh', 'long'],
    [{ fresh: 'the old password', again: 'the old password' }, 'fresh', 'same'],
    [{ again: 'a much newer onee' }, 'again', 'differs'],
  ])('finds what is wrong with %j', (change, field, why) => {
    expect(faultOf({ ...good, ...change })).toEqual({ field, why });
  });
});
