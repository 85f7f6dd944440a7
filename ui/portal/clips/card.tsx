import { signal } from '@preact/signals';
import type { LibraryClip } from '../../../protocol/wire/clips.ts';
import { t } from '../../components/i18n.ts';
import { Time } from '../../components/time.tsx';
import { ClipLine } from '../site/alarm-words.tsx';
import { Poster } from './poster.tsx';

/** Being deleted, while that can be undone. */
export const leaving = signal<readonly string[]>([]);

/** What happened in a clip, in words; of 24/7 recording in which nothing did, that. */
export function happened(clip: Pick<LibraryClip, 'events' | 'kind'>): string {
  const types = [...new Set(clip.events.map((event) => event.type))];
  if (types.length === 0) return t(`clips.kind.${clip.kind}`);
  return types.map((type) => t(`eventType.${type}`)).join(', ');
}

/** One clip of the library. */
export function ClipCard({ clip, href }: { clip: LibraryClip; href: string }) {
  return (
    <li>
      <a
        href={href}
        class="block rounded-box border border-base-300 p-2 hover:border-primary focus-visible:border-primary"
      >
        <Poster clipId={clip.id} has={clip.storedFragments > 0} />
        <p class="mt-2 font-semibold">{happened(clip)}</p>
        <p>
          {clip.deviceName ?? t('clips.goneDevice')}
          <span class="muted"> {t('clips.channel', { n: clip.channel })}</span>
        </p>
        <p class="small flex flex-wrap justify-between gap-x-3">
          <Time at={clip.startedAt} />
          <ClipLine clip={clip} />
        </p>
      </a>
    </li>
  );
}
