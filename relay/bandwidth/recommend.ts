import {
  type ChannelChoice,
  DEFINITION_KBPS,
  type Recommendation,
  UPLINK_SHARE,
} from '../../protocol/wire/bandwidth.ts';
import type { CloudLimit } from '../../protocol/wire/compat.ts';

const MAX_CHANNELS = 64;
/** Rather fewer channels than a picture in which nobody is known; below it only where not even one would fit. */
const LEAST_HEIGHT = 720;

const heightOf = (definition: string) => Number(definition.split('*')[1]);
const widthOf = (definition: string) => Number(definition.split('*')[0]);

/**
 * How many channels of which definition an uplink takes. `wanted`: channels there are. The most channels win, then the
 * best definition. Null: not even the smallest picture fits.
 */
export function recommend(kbps: number, wanted: number, limit: CloudLimit | null): Recommendation | null {
  const most = Math.min(Math.max(1, wanted), limit?.channels ?? MAX_CHANNELS, MAX_CHANNELS);
  const choices: ChannelChoice[] = DEFINITION_KBPS.flatMap((d) => {
    if (limit?.maxHeight && heightOf(d.definition) > limit.maxHeight) return [];
    if (limit?.maxWidth && widthOf(d.definition) > limit.maxWidth) return [];
    // A device that cannot send more than so much needs no more.
    const needed = Math.min(d.kbps, limit?.maxKbps ?? d.kbps);
    return [
      { definition: d.definition, kbps: needed, channels: Math.min(most, Math.floor((kbps * UPLINK_SHARE) / needed)) },
    ];
  });
  const fit = choices.filter((choice) => choice.channels > 0);
  const good = fit.filter((choice) => heightOf(choice.definition) >= LEAST_HEIGHT);
  const best = (good.length > 0 ? good : fit).reduce<ChannelChoice | null>(
    (so, choice) => (so && so.channels >= choice.channels ? so : choice),
    null,
  );
  return best && { ...best, choices, maxChannels: limit?.channels ?? null };
}
