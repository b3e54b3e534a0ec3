import { useTranslation } from 'react-i18next';
import type { Party } from '../api/read';

/** Up to two initials. */
export const initials = (name: string): string =>
  name
    .split(/\s+/)
    .filter(Boolean)
    .slice(0, 2)
    .map((part) => [...part][0] ?? '')
    .join('')
    .toUpperCase();

export function Avatar({ name }: { name: string }) {
  return (
    <span className="av" aria-hidden="true">
      {initials(name)}
    </span>
  );
}

export function Person({ name }: { name: string }) {
  return (
    <span className="row g8 person">
      <Avatar name={name} />
      <span className="ell strong">{name}</span>
    </span>
  );
}

/** A phone number. It reads from left to right in every language, so it is isolated from the text around it. */
export function Tel({ number }: { number: string }) {
  return (
    <bdi dir="ltr" className="num nowrap">
      {number}
    </bdi>
  );
}

/** A caller: the number, and the name the network gave, if any. */
export function Caller({ party }: { party: Party }) {
  const { t } = useTranslation();
  return (
    <span className="caller">
      <span className="strong">{party.number ? <Tel number={party.number} /> : t('callers.withheld')}</span>
      {party.displayName && party.displayName !== party.number && <bdi className="dim ell">{party.displayName}</bdi>}
    </span>
  );
}

/** A phone as its owner knows it: the name given to it and what colleagues dial. */
export const deviceName = ({ displayName, extension }: { displayName: string; extension: string }): string =>
  [displayName, extension].filter(Boolean).join(' · ');

/** The caller in one string, for labels. */
export const callerText = (party: Party, withheld: string): string => party.number || party.displayName || withheld;
