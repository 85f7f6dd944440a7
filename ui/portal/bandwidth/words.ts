import { type BandwidthTest, UPLINK_SHARE } from '../../../protocol/wire/bandwidth.ts';
import { locale, lookup, t } from '../../components/i18n.ts';
import { say } from '../../components/say.ts';

/** A bit rate as people say it: `512 kbit/s`, `7.8 Mbit/s`. */
export function formatRate(kbps: number): string {
  const number = (value: number, digits: number) =>
    new Intl.NumberFormat(locale() === 'en' ? 'en-GB' : locale(), { maximumFractionDigits: digits }).format(value);
  return kbps < 1_000
    ? t('bandwidth.kbit', { n: number(kbps, 0) })
    : t('bandwidth.mbit', { n: number(kbps / 1_000, kbps < 10_000 ? 1 : 0) });
}

/** `1920*1080` as `1920 × 1080`. */
export const formatDefinition = (definition: string): string => definition.replace('*', ' × ');

/** Why a test has no result, in the person's language where it is a usual reason. */
export const failureText = (test: Pick<BandwidthTest, 'code' | 'text'>): string =>
  lookup(`bandwidth.code.${test.code}`) ?? (test.text ? say(test.text) : null) ?? t('bandwidth.code.interrupted');

/** Channels of such a bit rate that an uplink takes. */
export const room = (uplinkKbps: number, kbps: number): number => Math.floor((uplinkKbps * UPLINK_SHARE) / kbps);
