import { INSTALLERS, type PageRoute } from './route.tsx';

/** Pages about live view, clips and cloud storage beside those of a site, and what models of devices can do. */
export const VIDEO_ROUTES: readonly PageRoute[] = [
  {
    path: '/live',
    load: async () => (await import('./live/all-live.tsx')).AllLive,
    who: ['customer'],
    strings: ['live', 'operations', 'site'],
    nav: { in: 'main', label: 'nav.live', order: 5, icon: 'live', letter: 'l' },
  },
  {
    path: '/clips',
    load: async () => (await import('./clips/all-clips.tsx')).AllClips,
    who: ['customer'],
    strings: ['clips', 'site'],
    nav: { in: 'main', label: 'nav.clips', order: 6, icon: 'record', letter: 'e' },
  },
  {
    path: '/s/:token',
    load: async () => (await import('./clips/shared-page.tsx')).SharedClipPage,
    who: 'anyone',
    strings: ['clips', 'site'],
  },
  {
    path: '/services',
    load: async () => (await import('./services/services.tsx')).MyServices,
    who: INSTALLERS,
    strings: ['cloud'],
    nav: { in: 'company', label: 'nav.services', order: 55 },
  },

  // What is known of models of devices
  {
    path: '/compatibility',
    load: async () => (await import('./compat/compat.tsx')).CompatPage,
    who: [...INSTALLERS, 'operator'],
    strings: ['uplink', 'sites'],
    nav: { in: 'company', label: 'nav.compat', order: 75 },
  },
  {
    path: '/compatibility',
    load: async () => (await import('./compat/compat.tsx')).CompatPage,
    who: 'everyone',
    strings: ['uplink', 'sites'],
  },
  {
    path: '/operator/compatibility',
    load: async () => (await import('./compat/import.tsx')).ImportCompatPage,
    who: ['operator'],
    needs: 'admin',
    strings: ['uplink'],
  },
];
