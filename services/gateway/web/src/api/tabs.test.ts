import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Tabs, type Renewed } from './tabs';

const tokens = (family: string, seq: number): Renewed => ({ family, seq, refreshToken: `r${seq}`, accessToken: `a${seq}`, expiresAt: 0 });
/** A channel within one program: every tab hears the others. */
function channels() {
  const ends: { hear: (event: MessageEvent) => void }[] = [];
  return () => {
    const end = { hear: (_: MessageEvent) => undefined as void };
    ends.push(end);
    return {
      addEventListener: (_: string, hear: (event: MessageEvent) => void) => void (end.hear = hear),
      postMessage: (data: unknown) => ends.filter((other) => other !== end).forEach((other) => queueMicrotask(() => other.hear({ data } as MessageEvent))),
    } as unknown as BroadcastChannel;
  };
}
function tab(channel: BroadcastChannel, own: Renewed | undefined) {
  const it = { own, busy: false, over: vi.fn(), tabs: undefined as unknown as Tabs };
  it.tabs = new Tabs(
    {
      newest: () => it.own,
      busy: () => it.busy,
      adopt: (newer) => {
        if (it.own?.family === newer.family && newer.seq > it.own.seq) it.own = newer;
      },
      over: it.over,
    },
    channel,
  );
  return it;
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('Tabs', () => {
  it('hear of tokens renewed by another tab of the same session only', async () => {
    const open = channels();
    const [one, twin, stranger] = [tab(open(), tokens('f', 1)), tab(open(), tokens('f', 1)), tab(open(), tokens('g', 1))];
    one.tabs.renewed(tokens('f', 2));
    await vi.advanceTimersByTimeAsync(0);
    expect(twin.own).toMatchObject({ seq: 2, refreshToken: 'r2' });
    expect(stranger.own?.seq).toBe(1);
  });

  it('get the newest tokens on asking, when they slept through the news', async () => {
    const open = channels();
    const [slept, awake] = [tab(open(), tokens('f', 1)), tab(open(), tokens('f', 5))];
    const asked = slept.tabs.ask(tokens('f', 1));
    await vi.advanceTimersByTimeAsync(1);
    await asked;
    expect(slept.own?.seq).toBe(5);
    expect(awake.own?.seq).toBe(5);
  });

  it('do not wait long when nobody answers', async () => {
    const alone = tab(channels()(), tokens('f', 1));
    const done = vi.fn();
    void alone.tabs.ask(tokens('f', 1)).then(done);
    await vi.advanceTimersByTimeAsync(150);
    expect(done).toHaveBeenCalled();
  });

  it('wait for a tab that renews right now', async () => {
    const open = channels();
    const [asks, renews] = [tab(open(), tokens('f', 1)), tab(open(), tokens('f', 1))];
    renews.busy = true;
    const done = vi.fn();
    void asks.tabs.ask(tokens('f', 1)).then(done);
    await vi.advanceTimersByTimeAsync(1000);
    expect(done).not.toHaveBeenCalled();
    renews.tabs.renewed(tokens('f', 2));
    await vi.advanceTimersByTimeAsync(1);
    expect(done).toHaveBeenCalled();
    expect(asks.own?.seq).toBe(2);
  });

  it('let one go first when two ask at once, without locks', async () => {
    const open = channels();
    const [one, twin] = [tab(open(), tokens('f', 1)), tab(open(), tokens('f', 1))];
    const order: string[] = [];
    // As a session does: ask, then renew unless another tab did.
    const renew = async (who: typeof one, name: string) => {
      await who.tabs.ask(tokens('f', 1));
      if (who.own && who.own.seq > 1) return void order.push(`${name} got it`);
      order.push(`${name} renews`);
      await new Promise((done) => setTimeout(done, 300));
      who.own = tokens('f', 2);
      who.tabs.renewed(who.own);
    };
    void renew(one, 'one');
    void renew(twin, 'twin');
    await vi.advanceTimersByTimeAsync(2000);
    expect(order.map((step) => step.replace(/^\w+ /, ''))).toEqual(['renews', 'got it']);
  });

  it('end together', async () => {
    const open = channels();
    const [one, twin] = [tab(open(), tokens('f', 1)), tab(open(), tokens('f', 1))];
    one.tabs.ended('f');
    await vi.advanceTimersByTimeAsync(0);
    expect(twin.over).toHaveBeenCalledWith('f');
  });
});
