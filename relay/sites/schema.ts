/** Tables of this folder, part of the relay's Database. */
export interface SiteTables {
  /** Words that sites are found by (relay/sites/search-terms.ts). */
  search_terms: {
    companyId: string;
    term: string;
    /** Of the site. */
    sortName: string;
    siteId: string;
    /** Empty: of the site itself. */
    deviceId: string;
    private: number;
  };
  search_changes: { siteId: string; deviceId: string };
  /** Of devices added by address; those behind a box have theirs sealed to the box, in its desired state. */
  device_secrets: { deviceId: string; password: string };
}
