/** Durations and instants as people read them. */

/** `m:ss`, from an hour on `hh:mm:ss`. Whole seconds, rounded down; never negative. */
export function clockText(ms: number): string {
  const total = Math.max(0, Math.floor(ms / 1000));
  const pair = (n: number) => String(n).padStart(2, '0');
  const hours = Math.floor(total / 3600);
  const minutes = Math.floor((total % 3600) / 60);
  return hours > 0 ? `${pair(hours)}:${pair(minutes)}:${pair(total % 60)}` : `${minutes}:${pair(total % 60)}`;
}

/** The same as an ISO 8601 duration, for `<time datetime>`. */
export const isoDuration = (ms: number): string => `PT${Math.max(0, Math.floor(ms / 1000))}S`;

/** The browser's own region for the language chosen here (en-GB, it-CH …), else the plainest one. */
export function localeOf(language: string, preferred: readonly string[] = navigator.languages): string {
  return preferred.find((tag) => tag.toLowerCase().split('-')[0] === language) ?? (language === 'en' ? 'en-GB' : language);
}

const formats = new Map<string, Intl.DateTimeFormat>();
function format(lang: string, key: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const name = `${lang}/${key}`;
  let found = formats.get(name);
  if (!found) formats.set(name, (found = new Intl.DateTimeFormat(lang, options)));
  return found;
}

/** `10:46:21` */
export const timeOfDay = (at: number, lang: string): string =>
  format(lang, 'hms', { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }).format(at);

/** `10:46` today, else `21 Nov, 10:46`. */
export function shortInstant(at: number, now: number, lang: string): string {
  const sameDay = new Date(at).toDateString() === new Date(now).toDateString();
  return sameDay
    ? format(lang, 'hm', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(at)
    : format(lang, 'dhm', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(at);
}

/** Everything about an instant, for titles. */
export const fullInstant = (at: number, lang: string): string =>
  format(lang, 'full', { dateStyle: 'full', timeStyle: 'long' }).format(at);

/** Midnight of the day of `now` in this computer's zone. */
export function startOfDay(now: number): number {
  const day = new Date(now);
  day.setHours(0, 0, 0, 0);
  return day.getTime();
}
