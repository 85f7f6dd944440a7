import type { CompatList } from '../../protocol/wire/compat.ts';

/** Tables of this folder, part of the relay's Database. */
export interface CompatTables {
  compatibility: {
    id: string;
    list: CompatList;
    deviceType: string;
    series: string;
    model: string;
    /** {@link modelKey} of the model, and of the model without its generation. */
    modelKey: string;
    baseKey: string;
    firmware: string;
    maxChannels: number | null;
    maxWidth: number | null;
    maxHeight: number | null;
    maxKbps: number | null;
    /** JSON object, see CompatFeature. */
    features: string;
    remarks: string;
    /** What it is searched by: lower case. */
    words: string;
    /** When the operator put it there; null: it came with the relay. */
    importedMs: number | null;
  };
}
