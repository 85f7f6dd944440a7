const NAMES: readonly (readonly [RegExp, string])[] = [
  [/^(avc[13]|h\.?264)/i, 'H.264'],
  [/^(hvc1|hev1|h\.?265)/i, 'H.265'],
  [/^(mjpe?g|jpeg)/i, 'MJPEG'],
];

/** How people call what a picture is coded in; `avc1.42c01f` is for players. */
export const codecWord = (codec: string): string => NAMES.find(([is]) => is.test(codec))?.[1] ?? codec;
