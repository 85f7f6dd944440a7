/** Tables of this folder, part of the relay's Database. */
export interface FirmwareTables {
  firmware: {
    id: string;
    /** Null: the operator's, for everybody. */
    companyId: string | null;
    /** Brought by an installer, for this device. */
    deviceId: string | null;
    fileName: string;
    version: string;
    /** JSON list of model patterns; empty: whatever the device makes of it. */
    models: string;
    note: string;
    state: 'uploading' | 'ready' | 'failed';
    reason: string | null;
    size: number;
    firmwareSize: number | null;
    sha256: string | null;
    /** Of the address that takes the ZIP, once. */
    tokenHash: string | null;
    tokenUntilMs: number | null;
    createdMs: number;
    /** When it came, or a box fetched of it. */
    usedMs: number | null;
    userId: string;
  };
}
