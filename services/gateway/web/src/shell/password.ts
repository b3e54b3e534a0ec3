/** The rules of a new password, as the server has them (docs/errors.md), and which of them is broken first. */
export const PASSWORD_MIN = 12;
export const PASSWORD_MAX_BYTES = 1024;

export interface Typed {
  current: string;
  fresh: string;
  again: string;
}
export interface PasswordFault {
  field: keyof Typed;
  /** Key of the words. */
  why: 'currentMissing' | 'short' | 'long' | 'same' | 'differs';
}

export function faultOf({ current, fresh, again }: Typed): PasswordFault | undefined {
  if (!current) return { field: 'current', why: 'currentMissing' };
  // Characters as a person counts them, not UTF-16 units.
  if ([...fresh].length < PASSWORD_MIN) return { field: 'fresh', why: 'short' };
  if (new TextEncoder().encode(fresh).length > PASSWORD_MAX_BYTES) return { field: 'fresh', why: 'long' };
  if (fresh === current) return { field: 'fresh', why: 'same' };
  if (fresh !== again) return { field: 'again', why: 'differs' };
  return undefined;
}
