import { createContext } from 'preact';
import { useContext, useEffect, useRef } from 'preact/hooks';
import type { Box, Device, Site, StreamMessage } from '../../../protocol/wire/api.ts';
import type { Resource } from '../../components/resource.ts';
import type { LiveState } from './sse.ts';

export interface SiteContext {
  siteId: string;
  /** Address of the site's pages, without a slash at its end. */
  base: string;
  zone: string | undefined;
  site: Resource<Site>;
  boxes: Resource<{ items: Box[] }>;
  devices: Resource<{ items: Device[] }>;
  live: LiveState;
  /** Calls back with each live message; returns the way out. */
  listen: (fn: (message: StreamMessage) => void) => () => void;
}
export const SiteData = createContext<SiteContext | null>(null);
export function useSite(): SiteContext {
  const site = useContext(SiteData);
  if (!site) throw new Error('not on a page of a site');
  return site;
}

/** Follows the live connection while a page is shown. */
export function useLive(fn: (message: StreamMessage) => void): void {
  const { listen } = useSite();
  const latest = useRef(fn);
  latest.current = fn;
  useEffect(() => listen((message) => latest.current(message)), [listen]);
}
