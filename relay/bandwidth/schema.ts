/** Tables of this folder, part of the relay's Database. */
export interface BandwidthTables {
  /** Tests of the uplink of boxes; the newest few of each box are kept. */
  bandwidth_tests: {
    id: string;
    siteId: string;
    boxSerial: string;
    /** The device that it was asked for; null: for the box as a whole. */
    deviceId: string | null;
    userId: string;
    state: 'running' | 'done' | 'failed';
    startedMs: number;
    endedMs: number | null;
    bytes: number;
    /** Of the uplink, as measured; null: it was not measured. */
    kbps: number | null;
    /** 1: alarms or people needed the line meanwhile, so that the uplink may be faster than this. */
    yielded: number;
    /** Why it failed: a problem's code, and words. */
    code: string | null;
    text: string | null;
    /** What was recommended, JSON; null: nothing can be. */
    recommended: string | null;
  };
}
