import { isIPv4 } from 'node:net';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';

/**
 * The address that an interface has now, IPv4 first; null: none (no such interface, cable out, no lease). A path over it is
 * a further one only where the routes send what comes from this address out of this interface (docs/operations.md).
 */
export function addressOf(
  name: string,
  interfaces: () => NodeJS.Dict<NetworkInterfaceInfo[]> = networkInterfaces,
): string | null {
  const usable = (interfaces()[name] ?? []).filter(({ address }) => !/^(169\.254\.|fe80:)/i.test(address));
  return (usable.find(({ address }) => isIPv4(address)) ?? usable[0])?.address ?? null;
}
