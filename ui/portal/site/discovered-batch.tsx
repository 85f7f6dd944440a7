import { useState } from 'preact/hooks';
import type { Device } from '../../../protocol/wire/api.ts';
import type { ApiError } from '../../components/http.ts';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { describe } from '../../components/problem.tsx';
import { asApiError } from '../../components/resource.ts';
import { withUndo } from '../../components/undo.tsx';
import { type Found, isOnvifOnly, isPanel } from '../install/found.ts';
import { api } from '../session.ts';
import { useSite } from './context.ts';

type Action = 'reboot' | 'restore';
interface Outcome {
  name: string;
  error: ApiError | null;
}

/** What can be done with all chosen devices together (DISC-12); each gets a result of its own. */
export function BatchBar({
  chosen,
  added,
  clear,
}: {
  chosen: Found[];
  added: (item: Found) => Device | undefined;
  clear: () => void;
}) {
  const { base } = useSite();
  const [outcomes, setOutcomes] = useState<Outcome[]>([]);
  const fresh = chosen.filter((item) => item.activated === false);
  const ready = chosen.filter((item) => item.activated !== false && !isPanel(item.model));
  const toInitialise = ready.filter((item) => !isOnvifOnly(item));
  const toAdd = ready.filter((item) => !added(item));
  const here = chosen.flatMap((item) => added(item) ?? []).filter((device) => device.boxSerial !== null);
  const macs = (items: Found[]) => items.map((item) => item.mac).join();
  const start = (action: Action) => {
    setOutcomes([]);
    withUndo({
      text: t(`discovery.soon.${action}`, { count: here.length }),
      failed: t('discovery.batchFailed'),
      run: async (keepalive) => {
        const done = await Promise.all(here.map((device) => operate(device, action, keepalive)));
        setOutcomes(done);
      },
      back: () => {},
    });
  };
  return (
    <>
      {chosen.length > 0 && (
        <div class="sticky bottom-[calc(4rem+env(safe-area-inset-bottom))] z-10 mt-3 flex flex-wrap items-center gap-2 border-t border-base-300 bg-base-100 py-3 md:bottom-0">
          <span role="status" class="w-full sm:w-auto">
            {t('discovery.chosen', { count: chosen.length })}
          </span>
          {fresh.length > 0 && (
            <a class="btn btn-primary" href={`${base}/activate?mac=${macs(fresh)}`}>
              {t('discovery.setPasswords')}
            </a>
          )}
          {toInitialise.length > 0 && (
            <a class="btn" href={`${base}/initialise?mac=${macs(toInitialise)}`}>
              {t('discovery.initialise')}
            </a>
          )}
          {ready.length > 0 && (
            <a class="btn" href={`${base}/addresses?mac=${macs(ready)}`}>
              {t('discovery.addresses')}
            </a>
          )}
          {toAdd.length > 0 && (
            <a class="btn" href={`${base}/add-found?mac=${macs(toAdd)}`}>
              {t('discovery.addThese')}
            </a>
          )}
          {here.length > 0 &&
            (['reboot', 'restore'] as const).map((action) => (
              <button key={action} type="button" class="btn" onClick={() => start(action)}>
                {t(`discovery.${action}`)}
              </button>
            ))}
          <button type="button" class="btn btn-ghost" onClick={clear}>
            {t('discovery.clear')}
          </button>
        </div>
      )}
      <div role="status">
        <ul class="flex flex-col gap-1">
          {outcomes.map(({ name, error }) => (
            <li key={name}>
              {error ? (
                <State level="problem">
                  {t('discovery.batchNot', { name })} {reason(error)}
                </State>
              ) : (
                <State level="well">{t('discovery.batchDone', { name })}</State>
              )}
            </li>
          ))}
        </ul>
      </div>
    </>
  );
}

async function operate(device: Device, action: Action, keepalive: boolean): Promise<Outcome> {
  const body = action === 'reboot' ? ({ action } as const) : ({ action, mode: 'basic' } as const);
  try {
    await api.post('/devices/{deviceId}/actions', body, { params: { deviceId: device.id }, keepalive });
    return { name: device.name, error: null };
  } catch (error) {
    return { name: device.name, error: asApiError(error) };
  }
}

function reason(error: ApiError): string {
  const said = describe(error);
  return `${said.title}. ${said.next}`;
}

type Link = [text: string, href: string];
/** What leads on from one device; only what there is for it (DISC-12). */
export function DeviceMenu({ item, device }: { item: Found; device: Device | undefined }) {
  const { base } = useSite();
  const links: Link[] = [];
  if (item.activated === false) links.push([t('discovery.activate'), `${base}/activate?mac=${item.mac}`]);
  else if (item.mac && !isPanel(item.model))
    links.push(
      ...(isOnvifOnly(item) ? [] : [[t('discovery.initialise'), `${base}/initialise?mac=${item.mac}`] satisfies Link]),
      [t('discovery.addresses'), `${base}/addresses?mac=${item.mac}`],
    );
  if (device) {
    const page = `${base}/devices/${device.id}`;
    links.push([t('discovery.live'), page]);
    if (device.boxSerial !== null)
      links.push(
        [t('discovery.settings'), `${page}#settings`],
        [t('discovery.device'), `${page}#device-actions`],
        [t('discovery.password'), `${page}/password`],
      );
  }
  links.push([t('discovery.defaults'), `${base}/activate#defaults`]);
  return (
    <details class="mt-1">
      <summary class="link flex min-h-11 cursor-pointer items-center">
        {t('discovery.more')}
        <span class="sr-only"> {t('discovery.moreOf', { name: `${item.model} ${item.address}` })}</span>
      </summary>
      <ul>
        {links.map(([word, href]) => (
          <li key={href}>
            <a class="link flex min-h-11 items-center" href={href}>
              {word}
            </a>
          </li>
        ))}
      </ul>
    </details>
  );
}
