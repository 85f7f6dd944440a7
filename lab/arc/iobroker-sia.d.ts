/** The part of iobroker.sia's build/lib/sia.js that the lab uses. */
declare module 'iobroker.sia/build/lib/sia.js' {
  import type { EventEmitter } from 'node:events';
  import type { Server } from 'node:net';

  export interface SiaMessage {
    /** `SIA-DCS`, `*ADM-CID`, … */
    id: string;
    seq: string;
    act: string;
    /** Without the brackets: `#1234|Nri1/BA003`. */
    data_message: string;
    /** The first extended block, without brackets, or ''. */
    data_extended: string;
    /** `HH:MM:SS,MM-DD-YYYY` or ''. */
    ts: string;
    data: Buffer;
  }
  export interface SiaAccount {
    accountnumber: string;
    aes: boolean;
    hex: boolean;
    password: string;
  }
  export class sia extends EventEmitter {
    servertcp: Server;
    constructor(parameter: {
      host: string;
      port: number;
      /** Seconds a time stamp may be off. */
      timeout: number;
      sockend?: boolean;
      logger: (text: string) => void;
    });
    setAccounts(accounts: SiaAccount[]): void;
    serverStartTCP(): void;
    createACK(message: SiaMessage): Buffer;
  }
}
