/** A list with one of its entries at another place. */
export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const rest = list.filter((_, i) => i !== from);
  const at = Math.min(Math.max(to, 0), rest.length);
  return [...rest.slice(0, at), ...list.slice(from, from + 1), ...rest.slice(at)];
}

/** Where an entry that is dragged to that height belongs, by the upper and lower edge of each. */
export function placeAt(y: number, edges: readonly { top: number; bottom: number }[]): number {
  const below = edges.findIndex(({ top, bottom }) => y < (top + bottom) / 2);
  return below === -1 ? edges.length - 1 : below;
}
