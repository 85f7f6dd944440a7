import { z } from 'zod';

/** SHA-256 of a certificate, as Node and `openssl x509 -fingerprint -sha256` write it. */
export const Fingerprint = z
  .string()
  .regex(/^[0-9A-F]{2}(:[0-9A-F]{2}){31}$/)
  .meta({ example: '0B:30:55:7A:9F:C4:E9:0E:33:58:7D:A2:C7:EC:11:36:5B:80:A5:CA:EF:14:39:5E:83:A8:CD:F2:17:3C:61:86' });

/**
 * How a device is spoken to that takes HTTPS: nobody has signed its certificate, so the one that it showed when it was added is
 * the only one that gets credentials.
 */
export const DeviceTls = z.object({
  certificate: Fingerprint,
  /** It could nothing newer when it was added: TLS 1.0 and weak ciphers are offered to it, and to no other device. */
  old: z.boolean(),
});
export type DeviceTls = z.infer<typeof DeviceTls>;

/** What a device shows that is not trusted (yet): HTTPS at this port, with this certificate. */
export const ShownTls = DeviceTls.extend({ httpPort: z.int().min(1).max(65535) });
export type ShownTls = z.infer<typeof ShownTls>;
