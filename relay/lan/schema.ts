/** Tables of this folder, part of the relay's Database. */
export interface LanTables {
  /** Owners that are asked to set a new password of a device. */
  password_requests: {
    id: string;
    siteId: string;
    deviceId: string;
    /** Who asks. */
    companyId: string;
    userId: string;
    /** The owner's tenant. */
    deciderId: string;
    /** 1: who asks is on the device's LAN. */
    atSite: number;
    remark: string;
    state: 'open' | 'done' | 'refused';
    createdMs: number;
    decidedMs: number | null;
  };
}
