import { useResource } from '../../components/resource.ts';
import { api } from '../session.ts';

/** What a device can do; asked once a page. */
export const useCapabilities = (deviceId: string) =>
  useResource((signal) => api.get('/devices/{deviceId}/capabilities', { params: { deviceId }, signal }), [deviceId]);
