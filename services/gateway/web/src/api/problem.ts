/**
 * What went wrong with a request, as RFC 9457 problem+json tells it or as the network lets us guess. Every failure of
 * the API reaches the pages as one `Problem` with a stable code; `sentence` makes it readable.
 */
import type { TFunction } from 'i18next';

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
  ) {
    super(`${code}: ${detail}`);
    this.name = 'Problem';
  }

  /** No answer came: the network or the server is gone for the moment. */
  static unreachable(): Problem {
    return new Problem(0, 'unreachable', '');
  }

  /** The request was given up by us. */
  static isAbort(error: unknown): boolean {
    return error instanceof DOMException && error.name === 'AbortError';
  }
}

const CODE = /^[a-z0-9_]{1,64}$/;

/** Reads a failed answer. Never throws: an answer that is not a problem becomes `http_<status>`. */
export async function problemOf(response: Response): Promise<Problem> {
  const fallback = new Problem(response.status, `http_${response.status}`, '');
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

/** The words for a failure: ours where we know the code, else the server's, else a sentence for the status. */
export function sentence(error: unknown, t: TFunction): Told {
  if (!(error instanceof Problem)) return { text: t('problem.unexpected'), code: 'page_error' };
  const known = t(`problem.${error.code}`, { defaultValue: '' });
  if (known) return { text: known, code: error.code };
  const told = asSentence(error.fields[0]?.detail || error.detail);
  if (told) return { text: told, code: error.code };
  const kind = error.status === 403 ? 'forbidden' : error.status === 429 ? 'busy' : error.status >= 500 ? 'server' : 'refused';
  return { text: t(`problem.${kind}`), code: error.code };
}
