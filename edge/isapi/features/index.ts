import type { Feature } from '../../drivers/feature.ts';
import type { IsapiDevice } from '../isapi-device.ts';

/** Where two features offer the same, the earlier one does it. */
export const ISAPI_FEATURES: readonly Feature<IsapiDevice>[] = [];
