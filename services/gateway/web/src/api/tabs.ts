/**
 * One session in several tabs. A duplicated tab starts with a copy of the refresh token, and a refresh token that is used
 * twice ends the session. So tabs renew one after the other (Web Locks) and tell each other the newest tokens.
 *
 * They tell by BroadcastChannel, not by localStorage: the token stays in the tabs' own sessionStorage and goes with them;
 * in localStorage it would lie on the disk of a shared computer after the last tab is closed, and two tabs could not
 * belong to two people. A tab that slept may have missed what was told, so whoever renews asks first.
 *
 * Web Locks need https or localhost. Elsewhere the question decides: of two tabs that ask at once, one has to wait for
 * what the other gets.
 */
export interface Tokens {
  /** The session, by a name that its tabs share. */
  family: string;
  /** Grows with every renewal. */
  seq: number;
  refreshToken: string;
}
export interface Renewed extends Tokens {
  accessToken: string;
  /** Of the access token, by this computer's clock. */
  expiresAt: number;
}

type Message =
  | { kind: 'newest'; tokens: Renewed }
  | { kind: 'ask'; family: string; seq: number; from: string }
  | { kind: 'busy'; to: string }
  | { kind: 'over'; family: string };

export interface Tab {
  /** What this tab has, maybe without an access token yet; absent when nobody is signed in. */
  newest: () => Renewed | undefined;
  /** Whether this tab has sent its refresh token and waits for the answer. */
  busy: () => boolean;
  /** Another tab has newer tokens of this family. */
  adopt: (tokens: Renewed) => void;
  /** The session of this family is over. */
  over: (family: string) => void;
}

/** Another tab answers within this, if there is one. */
const ANSWER_MS = 100;
/** So long a tab that renews is waited for. */
const BUSY_MS = 5000;

const isMessage = (data: unknown): data is Message => typeof data === 'object' && data !== null && 'kind' in data;

export class Tabs {
  readonly #channel: BroadcastChannel | undefined;
  /** Orders tabs that ask at the same time. */
  readonly #id = `${Math.random()}`;
  #waiting: { family: string; done: () => void; longer: () => void } | undefined;

  constructor(tab: Tab, channel = typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel('centro.session')) {
    this.#channel = channel;
    channel?.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      if (!isMessage(data)) return;
      const own = tab.newest();
      if (data.kind === 'newest') {
        tab.adopt(data.tokens);
        if (this.#waiting?.family === data.tokens.family) this.#waiting.done();
      } else if (data.kind === 'over') tab.over(data.family);
      else if (data.kind === 'busy') {
        if (data.to === this.#id) this.#waiting?.longer();
      } else if (own?.family === data.family) {
        if (own.seq > data.seq) this.#post({ kind: 'newest', tokens: own });
        else if (tab.busy() || (this.#waiting?.family === data.family && this.#id < data.from)) this.#post({ kind: 'busy', to: data.from });
      }
    });
  }

  #post(message: Message): void {
    this.#channel?.postMessage(message);
  }

  renewed(tokens: Renewed): void {
    this.#post({ kind: 'newest', tokens });
  }

  ended(family: string): void {
    this.#post({ kind: 'over', family });
  }

  /** Gives other tabs the time to say that they have newer tokens; `adopt` hears of them. */
  async ask({ family, seq }: Tokens): Promise<void> {
    if (!this.#channel) return;
    await new Promise<void>((done) => {
      let late = setTimeout(done, ANSWER_MS);
      this.#waiting = {
        family,
        done,
        longer: () => {
          clearTimeout(late);
          late = setTimeout(done, BUSY_MS);
        },
      };
      this.#post({ kind: 'ask', family, seq, from: this.#id });
    });
    this.#waiting = undefined;
  }

  /** Runs while no other tab of the family runs its own. */
  exclusively<T>(family: string, run: () => Promise<T>): Promise<T> {
    if (typeof navigator === 'undefined' || !navigator.locks) return run();
    return navigator.locks.request(`centro.session.${family}`, run) as Promise<T>;
  }
}
