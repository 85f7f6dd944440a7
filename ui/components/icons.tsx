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

/** Line drawings of our own, 24 units wide. */
const GLYPHS = {
  home: 'M3.5 11 12 4l8.5 7M6 9.5V20h12V9.5M10 20v-6h4v6',
  sites: 'M12 21s7-6.2 7-11.5a7 7 0 0 0-14 0C5 14.8 12 21 12 21ZM12 12a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z',
  company: 'M4 20V5h10v15M14 10h6v10M2.5 20h19M7.5 9h3M7.5 13h3M7.5 17h3M17 14v.01M17 17v.01',
  messages: 'M3.5 5.5h17v13h-17ZM3.5 6.5 12 13l8.5-6.5',
  account: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 20.5a7.5 7.5 0 0 1 15 0',
  menu: 'M4 7h16M4 12h16M4 17h16',
  search: 'M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM15.3 15.3 20.5 20.5',
  alarms: 'M12 3v1.5M6 17v-6a6 6 0 0 1 12 0v6M4 17h16M10 20.5h4',
  devices: 'M3.5 7.5 17 4l2 7-13.5 3.5ZM10 13.2V20M6.5 20h7',
  requests: 'M5 4h14v12H10l-5 4.5ZM9 8.5h6M9 12h4',
  card: 'M3.5 6h17v12h-17ZM7 10.5a1.7 1.7 0 1 0 3.4 0 1.7 1.7 0 0 0-3.4 0M6.5 15h4.4M14 10h4M14 14h4',
  boxes: 'M4 8l8-4 8 4v8l-8 4-8-4ZM4 8l8 4 8-4M12 12v8',
  keys: 'M8 16.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM12 12.5h9v3.5M17 12.5V15',
  lock: 'M5.5 11h13v9.5h-13ZM8.5 11V7.5a3.5 3.5 0 0 1 7 0V11M12 14.5v2.5',
  log: 'M6 3.5h9l3.5 3.5v13.5H6ZM9.5 10h5.5M9.5 13.5h5.5M9.5 17h3',
  page: 'M6 3.5h9l3.5 3.5v13.5H6ZM15 3.5V7h3.5',
  live: 'M3.5 7h11.5v10H3.5ZM15 11l5.5-3.5v9L15 13',
  direct: 'M3 12h17M14 6l6 6-6 6',
  relay: 'M3 17h5l4-9h8M16 4l4 4-4 4',
  capture: 'M3.5 7.5h4l1.5-2.5h6l1.5 2.5h4v11h-17ZM12 16.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7Z',
  record: 'M12 19a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM12 14.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z',
  stop: 'M6.5 6.5h11v11h-11Z',
  talk: 'M12 14.5a3 3 0 0 0 3-3v-5a3 3 0 0 0-6 0v5a3 3 0 0 0 3 3ZM6 11.5a6 6 0 0 0 12 0M12 17.5v3M9 20.5h6',
  sound: 'M4 9.5h3.5L12 6v12l-4.5-3.5H4ZM15.5 9a4 4 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11',
  full: 'M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5',
  help: 'M9 9a3 3 0 1 1 4.5 2.6c-1 .6-1.5 1.2-1.5 2.4M12 17.5v.01M12 21.5a9.5 9.5 0 1 0 0-19 9.5 9.5 0 0 0 0 19Z',
} as const;
export type Icon = keyof typeof GLYPHS;

/** A drawing beside a word that says the same. */
export function Glyph({ icon, size = 22 }: { icon: Icon; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      aria-hidden="true"
      fill="none"
      stroke="currentColor"
      stroke-width="1.7"
      stroke-linecap="round"
      stroke-linejoin="round"
      class="shrink-0"
    >
      <path d={GLYPHS[icon]} />
    </svg>
  );
}
