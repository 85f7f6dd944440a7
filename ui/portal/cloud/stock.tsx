import { useState } from 'preact/hooks';
import type { CloudServices } from '../../../protocol/wire/cloud.ts';
import { Field, Form, Submit } from '../../components/form.tsx';
import { t } from '../../components/i18n.ts';
import { State } from '../../components/icons.tsx';
import { Panel } from '../../components/page.tsx';
import { ProblemPanel } from '../../components/problem.tsx';
import { useAction } from '../../components/resource.ts';
import { api, me } from '../session.ts';
import { leftOver, type Shares } from './room.ts';
import { packageKey, packageWords } from './words.ts';

/** The packages that the company has left, less what is chosen on this page, and how it comes to more (CLOUD-23, CLOUD-24). */
export function Stock({
  stock,
  shares,
  changed,
}: {
  stock: CloudServices['stock'];
  shares: Shares;
  changed: () => void;
}) {
  const some = stock.filter((one) => one.remaining > 0);
  const chosen = (key: string, remaining: number) => remaining - (shares.left.get(key) ?? remaining);
  const none = some.length === 0;
  return (
    <Panel
      title={t('services.stock')}
      action={
        <a class="link" href="/services">
          {t('cloud.toServices')}
        </a>
      }
    >
      <ul class="flex flex-col gap-1">
        {some.map((one) => {
          const taken = chosen(packageKey(one), one.remaining);
          return (
            <li key={packageKey(one)}>
              {t('cloud.packageLeft', { package: packageWords(one), count: one.remaining })}
              {taken > 0 && <span class="muted">, {t('cloud.chosenHere', { count: taken })}</span>}
            </li>
          );
        })}
      </ul>
      <div role="status">
        {none && <State level="problem">{t('cloud.noneLeft')}</State>}
        {!none && leftOver(shares) === 0 && <State level="info">{t('cloud.allChosen')}</State>}
      </div>
      {me.value?.admin ? <MorePackages open={none} changed={changed} /> : none && <p>{t('cloud.askAdmin')}</p>}
    </Panel>
  );
}

/** A service key is entered where it is missed. */
function MorePackages({ open, changed }: { open: boolean; changed: () => void }) {
  const [got, setGot] = useState<string | null>(null);
  const redeem = useAction(async ({ keys = '' }: Record<string, string>) => {
    setGot(null);
    const { added } = await api.post('/company/service-keys/redeem', { keys });
    const packages = added.flatMap((one) =>
      one.package ? t('cloud.packageCount', { package: packageWords(one.package), count: one.quantity }) : [],
    );
    setGot(packages.length > 0 ? t('cloud.added', { packages: packages.join(', ') }) : t('cloud.addedOther'));
    changed();
  });
  const form = (
    <div class="mt-2 flex max-w-2xl flex-col gap-3">
      <ProblemPanel error={redeem.error} what={t('cloud.keyFailed')} focus />
      <Form key={got} onSubmit={redeem.run} label={t('cloud.enterKey')}>
        <Field
          label={t('cloud.keyLabel')}
          hint={t('cloud.keyHint')}
          name="keys"
          required
          mono
          maxLength={2000}
          autoComplete="off"
          error={redeem.error}
        />
        <div>
          <Submit busy={redeem.busy} doing={t('form.saving')}>
            {t('cloud.redeem')}
          </Submit>
        </div>
      </Form>
    </div>
  );
  return (
    <>
      <div role="status">{got && <State level="well">{got}</State>}</div>
      {open ? (
        form
      ) : (
        <details class="mt-2">
          <summary class="link inline-flex min-h-11 items-center">{t('cloud.enterKey')}</summary>
          {form}
        </details>
      )}
    </>
  );
}
