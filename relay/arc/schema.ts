/** Tables of this folder, part of the relay's Database. */
// biome-ignore lint/suspicious/noEmptyInterface: filled by this folder's migration
export interface ArcTables {}
