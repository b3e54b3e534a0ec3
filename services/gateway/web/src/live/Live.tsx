/** Keeps the snapshots fresh while somebody is signed in. */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { keepFresh } from './keep';

export function Live() {
  const cache = useQueryClient();
  useEffect(() => keepFresh(cache), [cache]);
  return null;
}
