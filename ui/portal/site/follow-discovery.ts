import { discoveredKey, type SiteDiscoveryMessage } from '../../../protocol/wire/box-api.ts';
import type { Found } from '../install/found.ts';

export interface Discovery {
  items: Found[];
  /** Boxes that cannot be asked now. */
  unreachable: string[];
  /** Boxes that have not said anything yet. */
  awaited: string[];
}

/** What is known after a message of the site's stream; null: nothing yet. Each box has its devices in its own order. */
export function followDiscovery(old: Discovery | null, message: SiteDiscoveryMessage): Discovery | null {
  if (message.event === 'hello') {
    const { boxes } = message.data;
    // After a reconnect what was there stays until its box says otherwise.
    const items = (old?.items ?? []).filter((item) => boxes.includes(item.boxSerial));
    return { items, unreachable: [], awaited: boxes };
  }
  if (!old) return null;
  const { boxSerial } = message.data;
  const others = old.items.filter((item) => item.boxSerial !== boxSerial);
  const own = old.items.filter((item) => item.boxSerial === boxSerial);
  const awaited = old.awaited.filter((serial) => serial !== boxSerial);
  const unreachable = old.unreachable.filter((serial) => serial !== boxSerial);
  const sorted = (items: Found[]) => items.sort((a, b) => a.boxSerial.localeCompare(b.boxSerial));
  if (message.event === 'away') return { items: others, unreachable: [...unreachable, boxSerial].sort(), awaited };
  const fresh = message.data.items.map((item) => ({ ...item, boxSerial }));
  if (message.event === 'list') return { items: sorted([...others, ...fresh]), unreachable, awaited };
  const news = new Map(fresh.map((item) => [discoveredKey(item), item]));
  const gone = new Set(message.data.gone);
  const kept = own.flatMap((item) => {
    const key = discoveredKey(item);
    const now = news.get(key) ?? item;
    news.delete(key);
    return gone.has(key) ? [] : [now];
  });
  return { items: sorted([...others, ...kept, ...news.values()]), unreachable, awaited };
}
