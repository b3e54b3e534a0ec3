import { TONE, type Status } from './status';

/** One outline per state, so that a state is readable without its colour. Decorative: the word stands beside it. */
export function Glyph({ s, size = 14 }: { s: Status; size?: number }) {
  const fill = `var(--c-${TONE[s]}-fill)`;
  const ink = 'var(--c-surface)';
  const stroke = { stroke: ink, strokeWidth: 1.5, strokeLinecap: 'round', strokeLinejoin: 'round' } as const;
  return (
    <svg className="glyph" width={size} height={size} viewBox="0 0 14 14" aria-hidden="true" fill="none">
      {s === 'available' && (
        <>
          <circle cx="7" cy="7" r="6" fill={fill} />
          <path d="M4.4 7.2 6.2 9l3.4-3.8" {...stroke} />
        </>
      )}
      {s === 'call' && (
        <>
          <circle cx="7" cy="7" r="6" fill={fill} />
          <path d="M4.5 6v2M7 4.4v5.2M9.5 6v2" {...stroke} />
        </>
      )}
      {s === 'ringing' && (
        <>
          <circle cx="7" cy="7" r="2.6" fill={fill} />
          <circle cx="7" cy="7" r="5.4" stroke={fill} strokeWidth="1.4" strokeDasharray="2.6 1.64" />
        </>
      )}
      {s === 'wrap' && (
        <>
          <circle cx="7" cy="7" r="5.3" stroke={fill} strokeWidth="1.4" />
          <path d="M7 3.4A3.6 3.6 0 1 1 3.4 7H7z" fill={fill} />
        </>
      )}
      {s === 'paused' && (
        <>
          <rect x="1" y="1" width="12" height="12" rx="3" fill={fill} />
          <path d="M5.3 4.5v5M8.7 4.5v5" {...stroke} />
        </>
      )}
      {s === 'missed' && (
        <>
          <path d="M7 1.2 13.3 12.4H.7z" fill={fill} stroke={fill} strokeLinejoin="round" />
          <path d="M7 5.2v3M7 10.3v.1" {...stroke} />
        </>
      )}
      {s === 'out' && <circle cx="7" cy="7" r="5.3" stroke={fill} strokeWidth="1.4" strokeDasharray="2 1.7" />}
    </svg>
  );
}
