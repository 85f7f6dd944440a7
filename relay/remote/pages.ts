import { createHash } from 'node:crypto';
import type { End } from './sessions.ts';

const STYLE =
  'body{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto;padding:0 1rem;color:#1c2430;background:#fff}h1{font-size:1.25rem}a{color:#0b57b0}@media(prefers-color-scheme:dark){body{color:#e6e9ee;background:#14181f}a{color:#8ab8ff}}';
/** Of the relay's own pages: nothing runs in them. */
export const PAGE_CSP = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`;

export type PageName =
  | `closed-${End}`
  | 'closed'
  | 'elsewhere'
  | 'not-allowed'
  | 'not-yours'
  | 'sign-in'
  | 'cookies'
  | 'box-away'
  | 'device-away'
  | 'switched-off'
  | 'refused'
  | 'certificate'
  | 'busy'
  | 'broken'
  | 'other-site'
  | 'bad-request'
  | 'redirect'
  | 'opening';

const WORDS: Record<'en' | 'de', Record<PageName, [title: string, text: string]>> = {
  en: {
    closed: ['This page is closed', 'Open the device’s own page again from the portal.'],
    'closed-ended': ['This page was closed', 'Open the device’s own page again from the portal.'],
    'closed-idle': ['Closed after 15 minutes without use', 'Open the device’s own page again from the portal.'],
    'closed-too-old': ['Closed after eight hours', 'Open the device’s own page again from the portal.'],
    'closed-signed-out': ['You have signed out of the portal', 'Sign in, then open the device’s own page again.'],
    'closed-not-allowed': ['Your permission has ended', 'You may not configure this device any more.'],
    'closed-stopped': ['The relay was restarted', 'Open the device’s own page again from the portal.'],
    elsewhere: ['Not open in this browser', 'Open the device’s own page from the portal, in this browser.'],
    'not-allowed': ['Your permission has ended', 'You may not configure this device any more.'],
    'not-yours': ['This page was opened by somebody else', 'Open the device’s own page from the portal yourself.'],
    'sign-in': ['Sign in first', 'Sign in to the portal, then open the device’s own page.'],
    cookies: ['The page could not be opened', 'Allow cookies for this address, then open it from the portal again.'],
    'box-away': [
      'The box is not connected',
      'The site’s connection to the Internet may be down. This page tries again.',
    ],
    'device-away': ['The device does not answer', 'It may be restarting, or off. This page tries again.'],
    'switched-off': ['Switched off at the box', 'Remote configuration was switched off on the box’s set-up page.'],
    refused: ['The box does not allow this', 'It opens only pages of devices that it recognises on its own network.'],
    certificate: [
      'The device shows another certificate',
      'After a reset that is normal; else somebody may stand in between. If you know why, accept the new certificate on the device’s page in the portal.',
    ],
    busy: ['Too many connections to this device', 'Close other pages of it. This page tries again.'],
    broken: ['The device’s answer cannot be understood', 'Its web server answered something that is no HTTP.'],
    'other-site': ['Asked for by another site', 'Open the device’s own page from the portal.'],
    'bad-request': ['This request is not passed on', 'Its form is one that no browser sends.'],
    opening: ['Opening the device’s page', 'It comes through the box; that may take a moment.'],
    redirect: ['The device sends you elsewhere', 'That is not a page of this device that can be reached from here:'],
  },
  de: {
    closed: ['Diese Seite ist geschlossen', 'Öffnen Sie die Geräteseite im Portal noch einmal.'],
    'closed-ended': ['Diese Seite wurde geschlossen', 'Öffnen Sie die Geräteseite im Portal noch einmal.'],
    'closed-idle': ['Nach 15 Minuten ohne Benutzung geschlossen', 'Öffnen Sie die Geräteseite im Portal noch einmal.'],
    'closed-too-old': ['Nach acht Stunden geschlossen', 'Öffnen Sie die Geräteseite im Portal noch einmal.'],
    'closed-signed-out': [
      'Sie haben sich vom Portal abgemeldet',
      'Melden Sie sich an und öffnen Sie die Geräteseite noch einmal.',
    ],
    'closed-not-allowed': ['Ihre Berechtigung ist beendet', 'Sie dürfen dieses Gerät nicht mehr konfigurieren.'],
    'closed-stopped': ['Das Relay wurde neu gestartet', 'Öffnen Sie die Geräteseite im Portal noch einmal.'],
    elsewhere: ['In diesem Browser nicht geöffnet', 'Öffnen Sie die Geräteseite in diesem Browser vom Portal aus.'],
    'not-allowed': ['Ihre Berechtigung ist beendet', 'Sie dürfen dieses Gerät nicht mehr konfigurieren.'],
    'not-yours': ['Diese Seite hat jemand anderes geöffnet', 'Öffnen Sie die Geräteseite selbst vom Portal aus.'],
    'sign-in': ['Melden Sie sich erst an', 'Melden Sie sich am Portal an und öffnen Sie dann die Geräteseite.'],
    cookies: [
      'Die Seite ließ sich nicht öffnen',
      'Lassen Sie Cookies für diese Adresse zu und öffnen Sie sie im Portal noch einmal.',
    ],
    'box-away': [
      'Die Box ist nicht verbunden',
      'Vielleicht ist die Internetverbindung des Standorts gestört. Diese Seite versucht es noch einmal.',
    ],
    'device-away': [
      'Das Gerät antwortet nicht',
      'Vielleicht startet es gerade neu oder ist aus. Diese Seite versucht es noch einmal.',
    ],
    'switched-off': [
      'An der Box abgeschaltet',
      'Die Fernkonfiguration wurde auf der Einrichtungsseite der Box abgeschaltet.',
    ],
    refused: ['Die Box erlaubt das nicht', 'Sie öffnet nur Seiten von Geräten, die sie im eigenen Netz erkennt.'],
    certificate: [
      'Das Gerät zeigt ein anderes Zertifikat',
      'Nach einem Zurücksetzen ist das normal; sonst steht vielleicht jemand dazwischen. Wissen Sie, warum, dann lassen Sie das neue Zertifikat auf der Seite des Geräts im Portal zu.',
    ],
    busy: [
      'Zu viele Verbindungen zu diesem Gerät',
      'Schließen Sie andere Seiten davon. Diese Seite versucht es noch einmal.',
    ],
    broken: ['Die Antwort des Geräts ist nicht zu verstehen', 'Sein Webserver antwortet etwas, das kein HTTP ist.'],
    'other-site': ['Von einer anderen Seite aus gefragt', 'Öffnen Sie die Geräteseite vom Portal aus.'],
    'bad-request': ['Diese Anfrage wird nicht weitergegeben', 'Eine solche Form sendet kein Browser.'],
    opening: ['Die Geräteseite wird geöffnet', 'Sie kommt durch die Box; das kann einen Augenblick dauern.'],
    redirect: ['Das Gerät schickt Sie woanders hin', 'Das ist keine von hier erreichbare Seite dieses Geräts:'],
  },
};
/** Tries again by itself. */
const RETRY = new Set<PageName>(['box-away', 'device-away', 'busy']);

const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

/** A page of the relay's own in the place of the device's. `link`: shown, and followed only by who chooses to. */
export function errorPage(
  name: PageName,
  o: { acceptLanguage?: string; portal?: string; link?: string },
): { html: string; headers: [string, string][] } {
  const language = /^\s*de\b/i.test(o.acceptLanguage ?? '') ? 'de' : 'en';
  const [title, text] = WORDS[language][name];
  const retry = RETRY.has(name);
  const again = language === 'de' ? 'Noch einmal versuchen' : 'Try again';
  const portal = language === 'de' ? 'Zum Portal' : 'To the portal';
  const links = [
    retry ? `<p><a href="">${again}</a></p>` : '',
    o.link ? `<p><a rel="noreferrer noopener" href="${escapeHtml(o.link)}">${escapeHtml(o.link)}</a></p>` : '',
    o.portal ? `<p><a rel="noreferrer" href="${escapeHtml(o.portal)}">${portal}</a></p>` : '',
  ];
  const html = `<!doctype html><html lang="${language}"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title} · Gatepost</title><style>${STYLE}</style><h1>${title}</h1><p>${text}</p>${links.join('')}</html>`;
  const headers: [string, string][] = [
    ['Content-Type', 'text/html; charset=utf-8'],
    ['Cache-Control', 'no-store'],
    ['Content-Security-Policy', PAGE_CSP],
    ['Referrer-Policy', 'no-referrer'],
    ['X-Content-Type-Options', 'nosniff'],
    ['X-Robots-Tag', 'noindex, nofollow'],
    ['X-Gatepost', name],
    ...(retry ? ([['Refresh', '10']] as [string, string][]) : []),
  ];
  return { html, headers };
}
