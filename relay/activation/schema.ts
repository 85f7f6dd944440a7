/** Tables of this folder, part of the relay's Database. */
export interface ActivationTables {
  /** The password that a device was given at its activation at this site; written before the device gets it. */
  device_passwords: {
    companyId: string;
    mac: string;
    siteId: string;
    sealed: string;
    createdMs: number;
    /** Null: not known whether the device took it. */
    activatedMs: number | null;
  };
  device_defaults: { companyId: string; sealed: string };
  /** The verification code for new devices, apart from the password. */
  device_default_codes: { companyId: string; sealed: string };
}
