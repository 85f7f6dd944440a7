import QRCode from 'qrcode';
import { iso } from '../../protocol/clock.ts';
import { type ShareCustomer, ShareRequest, type Sharing } from '../../protocol/wire/sharing.ts';
import type { DbOrTrx } from '../db/database.ts';
import { resourcesOf, type SharingRow, sharesOf, stateAt } from './sharing-rules.ts';

/** A sharing as its installer sees it. `links` of customers without an address are told once, to who invited them. */
export async function sharingView(
  db: DbOrTrx,
  sharing: SharingRow,
  now: number,
  links?: ReadonlyMap<string, string>,
): Promise<Sharing> {
  const shares = await sharesOf(db, sharing.id);
  const resources = await resourcesOf(
    db,
    shares.map((share) => share.id),
  );
  return {
    id: sharing.id,
    siteId: sharing.siteId,
    mode: sharing.mode,
    createdAt: iso(Number(sharing.createdMs)),
    requests: ShareRequest.array().parse(JSON.parse(sharing.requests)),
    customers: await Promise.all(
      shares.map(async (share): Promise<ShareCustomer> => {
        const { id, email, phone, name, remark, locale, answeredMs, untilMs } = share;
        const url = links?.get(id);
        const qr = url && { url, svg: await QRCode.toString(url, { type: 'svg', margin: 2 }) };
        return {
          id,
          email,
          phone,
          name,
          remark,
          locale: locale === 'de' ? 'de' : 'en',
          administrator: share.administrator === 1,
          state: stateAt(share, now),
          registered: share.customerId !== null,
          invitedAt: iso(Number(share.invitedMs)),
          acceptBy: iso(Number(share.acceptByMs)),
          answeredAt: answeredMs === null ? null : iso(Number(answeredMs)),
          until: untilMs === null ? null : iso(Number(untilMs)),
          resources: resources.get(id) ?? [],
          ...(qr ? { qr } : {}),
        };
      }),
    ),
  };
}
