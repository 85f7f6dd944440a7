import { INSTALLERS, type PageRoute } from './route.tsx';

/** Pages about alarm receiving centres: their own, and those of installers and customers who use them. */
export const ARC_ROUTES: readonly PageRoute[] = [
  // The desk of an alarm receiving centre
  {
    path: '/alarms',
    load: async () => (await import('./desk/alarms.tsx')).Alarms,
    who: ['arc'],
    strings: ['desk', 'site'],
    nav: { in: 'main', label: 'nav.alarms', order: 5, icon: 'alarms', letter: 'l' },
  },
  {
    path: '/alarms/:alarmId',
    load: async () => (await import('./desk/story.tsx')).AlarmPage,
    who: ['arc'],
    strings: ['desk', 'site'],
  },
  {
    path: '/alarms/accounts/:accountId',
    load: async () => (await import('./desk/account.tsx')).AccountPage,
    who: ['arc'],
    strings: ['desk', 'site'],
  },
  {
    path: '/reports',
    load: async () => (await import('./desk/reports.tsx')).Reports,
    who: ['arc'],
    strings: ['desk', 'site'],
    nav: { in: 'main', label: 'nav.reports', order: 40, icon: 'log', letter: 'r' },
  },
  {
    path: '/reports/:accountId',
    load: async () => (await import('./desk/reports.tsx')).ReportPage,
    who: ['arc'],
    strings: ['desk', 'site'],
  },
  {
    path: '/v/:token',
    load: async () => (await import('./desk/view.tsx')).ViewPage,
    who: 'anyone',
    strings: ['desk', 'site'],
  },

  // The ARC service
  {
    path: '/arc/devices',
    load: async () => (await import('./centre/devices.tsx')).CentreDevices,
    who: ['arc'],
    strings: ['centre', 'site'],
    nav: { in: 'main', label: 'nav.arcDevices', order: 12, icon: 'devices', letter: 'd' },
  },
  {
    path: '/arc/devices/:serviceId',
    load: async () => (await import('./centre/device.tsx')).CentreDevice,
    who: ['arc'],
    strings: ['centre', 'site'],
  },
  {
    path: '/arc/outputs',
    load: async () => (await import('./outputs/outputs.tsx')).Outputs,
    who: ['arc'],
    needs: ['manage-all-sites'],
    strings: ['outputs'],
    asks: () => ['/arc-outputs'],
    nav: { in: 'company', label: 'nav.arcOutputs', order: 26 },
  },
  {
    path: '/arc/outputs/new',
    load: async () => (await import('./outputs/output-form.tsx')).NewOutput,
    who: ['arc'],
    needs: ['manage-all-sites'],
    strings: ['outputs'],
  },
  {
    path: '/arc/outputs/:outputId',
    load: async () => (await import('./outputs/output-form.tsx')).EditOutput,
    who: ['arc'],
    needs: ['manage-all-sites'],
    strings: ['outputs'],
  },
  {
    path: '/arc/senders',
    load: async () => (await import('./outputs/senders.tsx')).Senders,
    who: ['arc'],
    needs: ['manage-all-sites'],
    strings: ['outputs'],
  },
  {
    path: '/arc-requests',
    load: async () => (await import('./centre/requests.tsx')).ArcRequests,
    who: ['customer'],
    strings: ['centre', 'site'],
    nav: { in: 'account', label: 'nav.arcRequests', order: 8 },
  },
  {
    path: '/arc-requests',
    load: async () => (await import('./centre/requests.tsx')).ArcRequests,
    who: [...INSTALLERS, 'arc'],
    strings: ['centre', 'site'],
    nav: { in: 'company', label: 'nav.arcRequests', order: 32 },
  },

  // Alarm receiving centres: the list, how one joins it, its receivers
  {
    path: '/arcs',
    load: async () => (await import('./arc-joining/arcs.tsx')).ArcListPage,
    who: INSTALLERS,
    strings: ['arc-joining'],
    asks: () => ['/arcs'],
    nav: { in: 'company', label: 'nav.arcs', order: 45 },
  },
  {
    path: '/arcs/:arcId',
    load: async () => (await import('./arc-joining/arcs.tsx')).ArcPage,
    who: [...INSTALLERS, 'arc'],
    strings: ['arc-joining'],
  },
  {
    path: '/arc/joining',
    load: async () => (await import('./arc-joining/joining.tsx')).ArcJoiningPage,
    who: ['arc'],
    needs: 'admin',
    strings: ['arc-joining'],
    nav: { in: 'company', label: 'nav.arcJoining', order: 40 },
  },
  {
    path: '/arc/joining/apply',
    load: async () => (await import('./arc-joining/apply.tsx')).ApplyPage,
    who: ['arc'],
    needs: 'admin',
    strings: ['arc-joining'],
  },
  {
    path: '/arc/joining/information',
    load: async () => (await import('./arc-joining/apply.tsx')).ChangeInformationPage,
    who: ['arc'],
    needs: 'admin',
    strings: ['arc-joining'],
  },
  {
    path: '/arc/receivers',
    load: async () => (await import('./arc-receivers/receivers.tsx')).ArcReceivers,
    who: ['arc'],
    needs: ['manage-all-sites'],
    strings: ['arc-joining'],
    nav: { in: 'main', label: 'nav.arcReceivers', order: 30, icon: 'boxes', letter: 'v' },
  },
  {
    path: '/arc/receivers/new',
    load: async () => (await import('./arc-receivers/receiver-page.tsx')).NewReceiverPage,
    who: ['arc'],
    needs: ['manage-all-sites'],
    strings: ['arc-joining', 'site'],
  },
  {
    path: '/arc/receivers/:receiverId',
    load: async () => (await import('./arc-receivers/receiver-page.tsx')).ReceiverPage,
    who: ['arc'],
    needs: ['manage-all-sites'],
    strings: ['arc-joining', 'site'],
  },

  // Applications, for whoever runs the relay
  {
    path: '/operator/arcs',
    load: async () => (await import('./operator/arcs.tsx')).ArcApplications,
    who: ['operator'],
    strings: ['operator', 'arc-joining'],
    nav: { in: 'main', label: 'nav.arcApplications', order: 15, icon: 'alarms', letter: 'r' },
  },
  {
    path: '/operator/arcs/:companyId',
    load: async () => (await import('./operator/arcs.tsx')).ArcApplicationPage,
    who: ['operator'],
    strings: ['operator', 'arc-joining'],
  },
];
