import type { Device } from '../../../protocol/wire/api.ts';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Facts, Panel } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction } from '../../components/resource.ts';
import { api } from '../session.ts';
import { useSite } from '../site/context.ts';
import { holds } from '../site/rights.ts';

/** Where a device is spoken to, as one writes it into a browser. */
export const addressOf = ({ host, httpPort, certificate }: Device): string =>
  `${certificate === null ? 'http' : 'https'}://${host}:${httpPort}`;

const Fingerprint = ({ text }: { text: string }) => <code class="mono small select-all break-all">{text}</code>;

/** What secures the connection to a device: nothing, or the certificate that it was added with. */
export function securityFact({ certificate, oldTls }: Device) {
  if (certificate === null) return t('tls.plain');
  return (
    <>
      {t(oldTls ? 'tls.old' : 'tls.https')}
      <details>
        <summary class="small">{t('tls.certificate')}</summary>
        <Fingerprint text={certificate} />
      </details>
    </>
  );
}

/** A device that shows another certificate, or takes HTTPS alone since lately: what it means, and how to accept it. */
export function OtherCertificate({ device }: { device: Device }) {
  const { devices, site } = useSite();
  const { id: deviceId, name, certificate } = device;
  const shows = device.health?.shows;
  const accept = useAction(async () => {
    if (!shows) return;
    await api.put('/devices/{deviceId}/certificate', shows, { params: { deviceId } });
    devices.reload();
  });
  if (!shows || shows.certificate === certificate) return null;
  const changed = certificate !== null;
  return (
    <Panel title={t(changed ? 'tls.changedTitle' : 'tls.onlyTitle')} id="certificate">
      <ProblemPanel error={accept.error} what={t('tls.acceptFailed', { name })} focus />
      <State level="problem">{t(changed ? 'tls.changed' : 'tls.only', { name })}</State>
      <p class="mt-2">{t(changed ? 'tls.changedNext' : 'tls.onlyNext')}</p>
      <div class="mt-3">
        <Facts
          items={[
            certificate !== null && [t('tls.before'), <Fingerprint key="before" text={certificate} />],
            [t('tls.now'), <Fingerprint key="now" text={shows.certificate} />],
          ]}
        />
      </div>
      {holds(site.data!, device, 'configure') ? (
        <button type="button" class="btn mt-3" onClick={accept.run} aria-disabled={accept.busy}>
          {t('tls.accept')}
        </button>
      ) : (
        <p class="muted mt-3">{t('tls.mayNot')}</p>
      )}
    </Panel>
  );
}
