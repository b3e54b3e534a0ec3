/**
 * The browser's storage, which may be switched off, full or forbidden to this page: then nothing is kept beyond the
 * page, and the page works all the same.
 */
type Kind = 'local' | 'session';

const instead: Record<Kind, Map<string, string>> = { local: new Map(), session: new Map() };

/** Even reading the property throws where storage is forbidden. */
const of = (kind: Kind): Storage => (kind === 'local' ? localStorage : sessionStorage);

export function stored(kind: Kind, key: string): string | undefined {
  try {
    return of(kind).getItem(key) ?? instead[kind].get(key);
  } catch {
    return instead[kind].get(key);
  }
}

export function store(kind: Kind, key: string, value: string): void {
  try {
    of(kind).setItem(key, value);
    instead[kind].delete(key);
  } catch {
    instead[kind].set(key, value);
  }
}

export function forgetStored(kind: Kind, key: string): void {
  instead[kind].delete(key);
  try {
    of(kind).removeItem(key);
  } catch {
    // There is nothing to forget then.
  }
}
