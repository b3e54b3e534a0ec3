import { CircleAlert, CircleCheck, Info, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';

type Kind = 'info' | 'ok' | 'warn' | 'bad';
const ICON = { info: Info, ok: CircleCheck, warn: TriangleAlert, bad: CircleAlert } as const;

/** A sentence that stands in its place until its cause is gone, with what can be done about it. */
export function Notice({ kind = 'info', code, act, children }: { kind?: Kind; code?: string | undefined; act?: ReactNode; children: ReactNode }) {
  const Icon = ICON[kind];
  return (
    <div className={`note ${kind}`} role={kind === 'bad' ? 'alert' : kind === 'warn' ? 'status' : undefined}>
      <Icon size={15} className={kind === 'info' ? 'dim' : `tone-${kind}`} aria-hidden="true" />
      <div className="grow">
        {children}
        {code && <code className="code">{code}</code>}
      </div>
      {act}
    </div>
  );
}
