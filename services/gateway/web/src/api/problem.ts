/**
 * What went wrong with a request, as RFC 9457 problem+json tells it or as the network lets us guess. Every failure of
 * the API reaches the pages as one `Problem` with a stable code; `sentence` makes it readable.
 */
import i18next, { type TFunction } from 'i18next';
import { clockText } from '../time/format';

export interface FieldProblem {
  pointer?: string;
  parameter?: string;
  code: string;
  detail?: string;
}

export class Problem extends Error {
  constructor(
    /** HTTP status; 0 when no answer came. */
    readonly status: number,
    /** Stable, snake_case. Programs decide on this. */
    readonly code: string,
    /** One English sentence of the server, maybe empty. */
    readonly detail: string,
    readonly fields: readonly FieldProblem[] = [],
    /** When trying again may work, where the server says it. */
    readonly retryAfterMs: number | undefined = undefined,
  ) {
    super(`${code}: ${detail}`);
    this.name = 'Problem';
  }

  /** No answer came: the network or the server is gone for the moment. */
  static unreachable(): Problem {
    return new Problem(0, 'unreachable', '');
  }

  /** The page gave the request up, because nobody wants the answer any more. A time that ran out is a failure. */
  static isAbort(error: unknown): boolean {
    return error instanceof DOMException && error.name === 'AbortError';
  }
}

const CODE = /^[a-z0-9_]{1,64}$/;

/** `Retry-After` in whole seconds; its other form, a date, is not used by Centro. */
function retryAfter(response: Response): number | undefined {
  const seconds = Number(response.headers.get('retry-after') || NaN);
  return seconds >= 0 && seconds <= 86_400 ? seconds * 1000 : undefined;
}

/** Reads a failed answer. Never throws: an answer that is not a problem becomes `http_<status>`. */
export async function problemOf(response: Response): Promise<Problem> {
  const fallback = new Problem(response.status, `http_${response.status}`, '', [], retryAfter(response));
  if (!/\bjson\b/.test(response.headers.get('content-type') ?? '')) return fallback;
  let body: unknown;
  try {
    body = await response.json();
  } catch {
    return fallback;
  }
  if (typeof body !== 'object' || body === null) return fallback;
  const { code, detail, title, errors } = body as Record<string, unknown>;
  return new Problem(
    response.status,
    typeof code === 'string' && CODE.test(code) ? code : fallback.code,
    typeof detail === 'string' && detail ? detail : typeof title === 'string' ? title : '',
    Array.isArray(errors) ? errors.filter((e): e is FieldProblem => typeof e?.code === 'string') : [],
    fallback.retryAfterMs,
  );
}

/** A server's message as a sentence: capital first, full stop last. */
export function asSentence(message: string): string {
  const text = message.trim();
  if (!text) return '';
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(first) ? first : `${first}.`;
}

export interface Told {
  /** What is wrong and, where there is one, the remedy. */
  text: string;
  /** The stable code, for whoever helps. */
  code: string;
}

/** The words for these end without a remedy, because it is to wait: for as long as the server says. */
const WAITS: ReadonlySet<string> = new Set(['too_many_attempts', 'busy', 'busy_signing_in']);

/**
 * The words for a failure, in the person's language: ours for the code, else a sentence for the status. The server speaks
 * English only, so its own words are added to the plain sentence for those who read the pages in English.
 */
export function sentence(error: unknown, t: TFunction): Told {
  if (!(error instanceof Problem)) return { text: t('problem.unexpected'), code: 'page_error' };
  const { code, status } = error;
  const known = t(`problem.${code}`, { defaultValue: '' });
  const kind = status === 403 ? 'forbidden' : status === 429 ? 'busy' : status >= 500 ? 'server' : 'refused';
  const text = known || (i18next.resolvedLanguage === 'en' && asSentence(error.fields[0]?.detail || error.detail)) || t(`problem.${kind}`);
  return { text: WAITS.has(known ? code : kind) ? `${text} ${wait(error, t)}` : text, code };
}

function wait({ retryAfterMs }: Problem, t: TFunction): string {
  return retryAfterMs ? t('problem.waitFor', { time: clockText(retryAfterMs) }) : t('problem.waitAMoment');
}
