/** Tables of this folder, part of the relay's Database. */
export interface JobTables {
  /** Which cameras a person gave to a recorder. */
  recorder_cameras: { siteId: string; recorderMac: string; cameraMac: string };
  /** Recorders whose channels were put in order, or could not be: nobody is asked to sort them (CHAN-11). */
  recorder_orders: { siteId: string; mac: string; atMs: number };
}
