/** How something is. Each level has a shape of its own, so that no state depends on colour. */
export type Level = 'well' | 'info' | 'attention' | 'problem' | 'unknown' | 'working';

const SHAPES: Record<Level, { colour: string; path: string; filled?: string }> = {
  well: { colour: 'text-success', path: 'M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM5 8.2l2.2 2.2L11.2 6' },
  info: { colour: 'text-neutral', path: 'M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM8 7.2v4M8 4.6v.4' },
  attention: { colour: 'text-warning', path: 'M8 1.8 15 14H1ZM8 6v3.8M8 11.7v.4' },
  problem: {
    colour: 'text-error',
    path: 'M5.2 1.5h5.6l3.7 3.7v5.6l-3.7 3.7H5.2l-3.7-3.7V5.2ZM5.5 5.5l5 5M10.5 5.5l-5 5',
  },
  unknown: { colour: 'text-neutral', path: 'M6 6.2a2 2 0 1 1 3 1.7c-.7.4-1 .8-1 1.5M8 11.5v.4' },
  working: { colour: 'text-neutral', path: 'M3.6 8v.01M8 8v.01M12.4 8v.01' },
};

/** The shape of a state; decorative, the word beside it says the same. */
export function Mark({ level, size = 16 }: { level: Level; size?: number }) {
  const shape = SHAPES[level];
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 16 16"
      aria-hidden="true"
      fill="none"
      stroke="currentColor"
      stroke-width={level === 'working' ? 2.4 : 1.5}
      stroke-linecap="round"
      stroke-linejoin="round"
      class={`shrink-0 ${shape.colour}`}
    >
      {level === 'unknown' && <circle cx="8" cy="8" r="6.5" stroke-dasharray="2.1 2" />}
      <path d={shape.path} />
    </svg>
  );
}

/** A state as shape and word, kept on one line with its first word. */
export function State({ level, children }: { level: Level; children: preact.ComponentChildren }) {
  return (
    <span class="inline-flex items-start gap-2 align-top">
      <span class="mt-1 shrink-0">
        <Mark level={level} />
      </span>
      <span>{children}</span>
    </span>
  );
}

/** Gatepost's own mark: a post with a pointed cap and two rails of the gate. */
export function Logo({ size = 24 }: { size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 32 32"
      aria-hidden="true"
      class="shrink-0 text-primary"
      fill="currentColor"
    >
      <path d="M10 2l6 5v23H4V7zM18 11h12v4H18zM18 20h12v4H18z" />
    </svg>
  );
}
