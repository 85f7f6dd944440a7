/** Tables of this folder, part of the relay's Database. */
export interface JobTables {
  /** Recorders whose channels were put in order, or could not be: nobody is asked to sort them (CHAN-11). */
  recorder_orders: { siteId: string; mac: string; atMs: number };
}
