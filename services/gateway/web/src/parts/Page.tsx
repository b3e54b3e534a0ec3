import { useEffect, type ReactNode } from 'react';

/** The white sheet: title, what stands beside it, content. Also names the browser's tab. */
export function Page({ title, beside, children }: { title: string; beside?: ReactNode; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Centro`;
  }, [title]);
  return (
    <div className="page">
      <header className="head">
        <h1 tabIndex={-1} id="page-title">
          {title}
        </h1>
        {beside}
      </header>
      {children}
    </div>
  );
}

export function Stat({ name, value, base, tone }: { name: string; value: ReactNode; base?: ReactNode; tone?: string | undefined }) {
  return (
    <div className="stat">
      <dt>{name}</dt>
      <dd className={`v num ${tone ? `tone-${tone}` : ''}`}>{value}</dd>
      {base !== undefined && <dd className="b">{base}</dd>}
    </div>
  );
}

export function Logo({ size = 20 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 20 20" aria-hidden="true">
      <circle
        cx="10"
        cy="10"
        r="8.5"
        fill="none"
        stroke="var(--c-accent)"
        strokeWidth="2.4"
        strokeDasharray="40 13.4"
        strokeLinecap="round"
        transform="rotate(45 10 10)"
      />
      <circle cx="10" cy="10" r="3" fill="var(--c-accent)" />
    </svg>
  );
}
