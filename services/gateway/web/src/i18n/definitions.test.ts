import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import en from './locales/en.json';
import italian from './locales/it.json';

/** Name to definition, from the table of the queues. */
function defined(): Map<string, string> {
  const text = readFileSync(new URL('../../../../../docs/metrics-definitions.md', import.meta.url), 'utf8');
  const table = text.split('\n## Queues\n')[1]?.split('\n## ')[0] ?? '';
  return new Map([...table.matchAll(/^\| `(\w+)` \| ([^|]+) \|/gm)].map(([, name, definition]) => [name ?? '', definition ?? '']));
}

describe('definitions of figures', () => {
  it.each(Object.entries(en.definition))('the tooltip of %s says what the document says', (name, text) => {
    expect(defined().get(name)).toBe(text);
  });
  it('are in Italian, too', () => {
    for (const [name, text] of Object.entries(italian.definition)) {
      expect(text.length, name).toBeGreaterThan(20);
      expect(text).not.toBe(en.definition[name as keyof typeof en.definition]);
    }
  });
});
