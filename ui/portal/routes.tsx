import { COMPANY_TYPES } from '../../protocol/wire/rights.ts';
import { ARC_ROUTES } from './arc-routes.tsx';
import { visitedSites } from './home/visited.ts';
import { INSTALLERS, isSiteId, type PageRoute, withPages } from './route.tsx';
import { VIDEO_ROUTES } from './video-routes.tsx';

/** Who has employees. */
const COMPANIES = [...COMPANY_TYPES, 'operator'] as const;

/**
 * Every page of the portal: what it is, whom it is for, where it stands in the navigation. The first that matches an address
 * and is for the person is shown, so one address can be another page for another kind of person. Strings of `ui/locales`
 * are loaded with the page that names their file.
 */
export const ROUTES = withPages<PageRoute>([
  // Home: of a kind of company that has one of its own, before the one for everybody
  {
    path: '/',
    load: async () => (await import('./customer/home.tsx')).CustomerHome,
    who: ['customer'],
    strings: ['customer', 'site'],
    nav: { in: 'main', label: 'nav.home', order: 0, icon: 'home', letter: 'h' },
  },
  {
    path: '/',
    load: async () => (await import('./operator/system.tsx')).System,
    who: ['operator'],
    strings: ['operator'],
    asks: () => ['/operator/system'],
    nav: { in: 'main', label: 'nav.home', order: 0, icon: 'home', letter: 'h' },
  },
  {
    path: '/',
    load: async () => (await import('./home/home.tsx')).Home,
    who: 'everyone',
    strings: ['home'],
    asks: () => [`/home?${new URLSearchParams({ sites: visitedSites().join() })}`],
    nav: { in: 'main', label: 'nav.home', order: 0, icon: 'home', letter: 'h' },
  },

  // Sites
  {
    path: '/sites',
    load: async () => (await import('./sites/sites.tsx')).Sites,
    who: INSTALLERS,
    strings: ['sites', 'site'],
    nav: { in: 'main', label: 'nav.sites', order: 10, icon: 'sites', letter: 's' },
  },
  {
    path: '/sites/new',
    load: async () => (await import('./sites/site-form.tsx')).NewSite,
    who: INSTALLERS,
    strings: ['sites'],
  },
  {
    path: '/sites/devices',
    load: async () => (await import('./sites/devices.tsx')).AllDevices,
    who: INSTALLERS,
    strings: ['sites'],
  },
  {
    path: '/sites/map',
    load: async () => (await import('./sites/map-page.tsx')).SitesMap,
    who: INSTALLERS,
    strings: ['sites', 'site'],
  },
  {
    path: '/sites/groups',
    load: async () => (await import('./sites/groups.tsx')).Groups,
    who: INSTALLERS,
    strings: ['sites'],
  },
  {
    path: '/claim',
    load: async () => (await import('./claim-link.tsx')).ClaimFromLink,
    who: 'everyone',
    strings: ['sites'],
  },
  {
    path: '/sites/:siteId/*',
    load: async () => (await import('./site/site-page.tsx')).SitePage,
    who: 'everyone',
    strings: ['site', 'sites'],
    asks: ({ siteId = '' }) =>
      isSiteId(siteId) ? ['', '/boxes', '/devices'].map((list) => `/sites/${siteId}${list}`) : [],
  },

  ...ARC_ROUTES,
  ...VIDEO_ROUTES,

  // A customer's own
  {
    path: '/requests',
    load: async () => (await import('./customer/requests.tsx')).Requests,
    who: ['customer'],
    strings: ['customer', 'handover', 'site'],
    nav: { in: 'main', label: 'nav.requests', order: 20, icon: 'requests', letter: 'r' },
  },
  {
    path: '/requests/:requestId',
    load: async () => (await import('./customer/requests.tsx')).RequestPage,
    who: ['customer'],
    strings: ['customer', 'handover', 'site'],
  },
  {
    path: '/requests/password/:requestId',
    load: async () => (await import('./customer/password-request-page.tsx')).PasswordRequestPage,
    who: ['customer'],
    strings: ['customer', 'upgrade'],
  },
  {
    path: '/handovers/:handoverId',
    load: async () => (await import('./customer/handover.tsx')).HandoverPage,
    who: ['customer'],
    strings: ['customer', 'handover'],
  },
  {
    path: '/handover',
    load: async () => (await import('./customer/handover.tsx')).HandoverLink,
    who: 'anyone',
    strings: ['customer', 'handover'],
  },

  {
    path: '/shared-with-me',
    load: async () => (await import('./sharing/shared-with-me.tsx')).SharedWithMe,
    who: ['customer'],
    strings: ['sharing'],
    nav: { in: 'account', label: 'nav.shared', order: 5 },
  },
  {
    path: '/invitations',
    load: async () => (await import('./invitations/invitations.tsx')).Invitations,
    who: ['customer'],
    strings: ['partners'],
    nav: { in: 'account', label: 'nav.invitations', order: 6 },
  },
  {
    path: '/invitations',
    load: async () => (await import('./invitations/invitations.tsx')).Invitations,
    who: [...INSTALLERS, 'arc'],
    strings: ['partners'],
    nav: { in: 'company', label: 'nav.invitations', order: 30 },
  },
  {
    path: '/invitations/new',
    load: async () => (await import('./invitations/invite-installer.tsx')).InviteInstaller,
    who: ['customer'],
    strings: ['partners'],
  },
  {
    path: '/invitations/devices/:invitationId',
    load: async () => (await import('./invitations/invitations.tsx')).DeviceInvitationPage,
    who: 'everyone',
    strings: ['partners'],
  },

  // What was done, and the company's programs
  {
    path: '/company/log',
    load: async () => (await import('./log/log.tsx')).Log,
    who: [...INSTALLERS, 'arc', 'operator'],
    strings: ['log'],
    nav: { in: 'company', label: 'nav.log', order: 60 },
  },
  {
    path: '/account/log',
    load: async () => (await import('./log/log.tsx')).Log,
    who: ['customer'],
    strings: ['log'],
    nav: { in: 'account', label: 'nav.log', order: 60 },
  },
  {
    path: '/company/api-keys',
    load: async () => (await import('./api-keys/keys.tsx')).ApiKeys,
    who: [...INSTALLERS, 'arc'],
    needs: ['manage-accounts'],
    strings: ['keys'],
    nav: { in: 'company', label: 'nav.apiKeys', order: 70 },
  },
  {
    path: '/company/api-keys/new',
    load: async () => (await import('./api-keys/new-key.tsx')).NewApiKey,
    who: [...INSTALLERS, 'arc'],
    needs: ['manage-accounts'],
    strings: ['keys'],
  },

  // Registration, and where links of messages lead
  {
    path: '/register',
    load: async () => (await import('./people/register.tsx')).Register,
    who: 'anyone',
    strings: ['register'],
  },
  {
    path: '/verify',
    load: async () => (await import('./people/links.tsx')).Verify,
    who: 'anyone',
    strings: ['register'],
  },
  {
    path: '/reset',
    load: async () => (await import('./people/links.tsx')).Verify,
    who: 'anyone',
    strings: ['register'],
  },
  {
    path: '/forgotten',
    load: async () => (await import('./people/links.tsx')).Forgotten,
    who: 'anyone',
    strings: ['register'],
  },
  {
    path: '/invitation',
    load: async () => (await import('./people/links.tsx')).InvitationPage,
    who: 'anyone',
    strings: ['register'],
  },

  // The company and its people
  {
    path: '/company',
    load: async () => (await import('./people/company.tsx')).CompanyPage,
    who: COMPANIES,
    strings: ['people', 'register'],
    nav: { in: 'company', label: 'nav.companyInfo', order: 0 },
  },
  {
    path: '/company/people',
    load: async () => (await import('./people/people.tsx')).PeoplePage,
    who: COMPANIES,
    needs: ['manage-accounts'],
    strings: ['people'],
    nav: { in: 'company', label: 'nav.people', order: 10 },
  },
  {
    path: '/company/people/invite',
    load: async () => (await import('./people/invitations.tsx')).InvitePage,
    who: COMPANIES,
    needs: ['manage-accounts'],
    strings: ['people'],
  },
  {
    path: '/company/people/:userId',
    load: async () => (await import('./people/person.tsx')).PersonPage,
    who: COMPANIES,
    needs: ['manage-accounts'],
    strings: ['people'],
  },
  {
    path: '/company/roles',
    load: async () => (await import('./people/roles.tsx')).RolesPage,
    who: COMPANIES,
    needs: ['manage-accounts'],
    strings: ['people'],
    nav: { in: 'company', label: 'nav.roles', order: 20 },
  },
  {
    path: '/company/roles/new',
    load: async () => (await import('./people/roles.tsx')).NewRolePage,
    who: COMPANIES,
    needs: ['manage-accounts'],
    strings: ['people'],
  },
  {
    path: '/company/roles/:roleId',
    load: async () => (await import('./people/roles.tsx')).RolePage,
    who: COMPANIES,
    needs: ['manage-accounts'],
    strings: ['people'],
  },
  {
    path: '/company/authentication',
    load: async () => (await import('./people/company.tsx')).AuthenticationPage,
    who: COMPANY_TYPES,
    needs: ['manage-accounts'],
    strings: ['people', 'register'],
    nav: { in: 'company', label: 'nav.authentication', order: 30 },
  },

  // One's own account
  {
    path: '/account',
    load: async () => (await import('./people/account.tsx')).AccountPage,
    who: 'everyone',
    strings: ['people'],
    nav: { in: 'account', label: 'nav.accountMine', order: 0 },
  },
  {
    path: '/account/security',
    load: async () => (await import('./people/security.tsx')).SecurityPage,
    who: 'everyone',
    strings: ['people'],
    nav: { in: 'account', label: 'nav.security', order: 10 },
  },
  {
    path: '/account/sessions',
    load: async () => (await import('./people/sessions.tsx')).SessionsPage,
    who: 'everyone',
    strings: ['people'],
    nav: { in: 'account', label: 'nav.sessions', order: 20 },
  },
  {
    path: '/account/data',
    load: async () => (await import('./people/own-data.tsx')).OwnDataPage,
    who: 'everyone',
    strings: ['people'],
    nav: { in: 'account', label: 'nav.accountData', order: 30 },
  },

  // Whoever runs the relay, and the keys that they give
  {
    path: '/operator/companies',
    load: async () => (await import('./operator/companies.tsx')).Companies,
    who: ['operator'],
    strings: ['operator'],
    nav: { in: 'main', label: 'nav.companies', order: 10, icon: 'company', letter: 'o' },
  },
  {
    path: '/operator/companies/:companyId',
    load: async () => (await import('./operator/company.tsx')).CompanyPage,
    who: ['operator'],
    strings: ['operator'],
  },
  {
    path: '/operator/boxes',
    load: async () => (await import('./operator/boxes.tsx')).Boxes,
    who: ['operator'],
    strings: ['operator'],
    nav: { in: 'main', label: 'nav.boxes', order: 20, icon: 'boxes', letter: 'b' },
  },
  {
    path: '/operator/firmware',
    load: async () => (await import('./upgrade/firmware.tsx')).FirmwarePage,
    who: ['operator'],
    strings: ['upgrade'],
    nav: { in: 'main', label: 'nav.firmware', order: 25, icon: 'boxes', letter: 'f' },
  },
  {
    path: '/operator/keys',
    load: async () => (await import('./operator/keys.tsx')).ServiceKeys,
    who: ['operator'],
    strings: ['operator'],
    nav: { in: 'main', label: 'nav.issuedKeys', order: 30, icon: 'keys', letter: 'k' },
  },
  {
    path: '/operator/keys/new',
    load: async () => (await import('./operator/keys.tsx')).IssueKeysPage,
    who: ['operator'],
    strings: ['operator'],
  },
  {
    path: '/operator/messages',
    load: async () => (await import('./messages/deliveries.tsx')).Deliveries,
    who: ['operator'],
    strings: ['deliveries', 'operator'],
    nav: { in: 'main', label: 'nav.deliveries', order: 40, icon: 'messages', letter: 'd' },
  },
  {
    path: '/company/service-keys',
    load: async () => (await import('./operator/redeem.tsx')).RedeemPage,
    who: [...INSTALLERS, 'arc'],
    needs: 'admin',
    strings: ['operator'],
    nav: { in: 'company', label: 'nav.serviceKeys', order: 60 },
  },

  // Every person
  {
    path: '/messages',
    load: async () => (await import('./messages/messages.tsx')).Messages,
    who: 'everyone',
    strings: ['messages', 'site'],
  },
  {
    path: '/messages/settings',
    load: async () => (await import('./messages/settings.tsx')).MessageSettings,
    who: 'everyone',
    strings: ['messages'],
  },
  {
    path: '/search',
    load: async () => (await import('./search/search.tsx')).Search,
    who: [...INSTALLERS, 'arc'],
    strings: ['search', 'site'],
  },
  { path: '/help', load: async () => (await import('./help/help.tsx')).Help, who: 'everyone', strings: ['search'] },
  { path: '/menu', load: async () => (await import('./menu.tsx')).Menu, who: 'everyone' },
]);
