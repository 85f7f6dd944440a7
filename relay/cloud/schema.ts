import type { ColumnType } from 'kysely';
import type { CloudMode, CloudStream, RetentionDays, Term } from '../../protocol/wire/cloud.ts';

type Later<T> = ColumnType<T | null, T | null | undefined>;

/** Tables of this folder, part of the relay's Database. */
export interface CloudTables {
  /** Packages of a company, by kind. */
  cloud_stock: {
    companyId: string;
    retentionDays: RetentionDays;
    term: Term;
    purchased: number;
    used: number;
  };
  /** What is recorded of a channel that was set up for cloud storage. */
  cloud_channels: {
    deviceId: string;
    channel: number;
    siteId: string;
    enabled: number;
    mode: CloudMode;
    stream: CloudStream;
    definition: string | null;
    /** JSON list. */
    triggers: string;
    audio: number;
    /** What was read last of its motion detection. */
    silent: Later<string>;
    createdMs: number;
  };
  /** Each package that was activated for a channel; a renewal makes it last longer. */
  cloud_services: {
    id: string;
    /** Whose package it was. */
    companyId: string;
    siteId: string;
    deviceId: string;
    channel: number;
    retentionDays: RetentionDays;
    term: Term;
    activatedMs: number;
    untilMs: number;
    /** It ended before its time, and how. */
    endedMs: Later<number>;
    ended: Later<'transferred' | 'left'>;
    /** The notice that was sent last: so many days before its end; 0: that it is over. */
    toldDays: Later<number>;
    /** Of which its time came. */
    fromId: Later<string>;
  };
  /** Channels that a box is asked to set up; the package is taken when it says that all went well. */
  cloud_setups: {
    jobId: string;
    deviceId: string;
    channel: number;
    siteId: string;
    boxSerial: string;
    companyId: string;
    userId: string;
    /** null, with `term`: it has a service that goes on. */
    retentionDays: RetentionDays | null;
    term: Term | null;
    mode: CloudMode;
    stream: CloudStream;
    definition: string | null;
    audio: number;
    state: 'pending' | 'done' | 'failed';
    code: Later<string>;
    createdMs: number;
    settledMs: Later<number>;
  };
}
