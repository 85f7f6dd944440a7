import { z } from 'zod';
import { Mac } from './activation.ts';
import { DevicePassword } from './device-password.ts';
import { Serial } from './ids.ts';

/*
 * Work on devices of the LAN that need not be added: found by their MAC, over SADP where ISAPI cannot reach them. The box's
 * API, asked through the tunnel:
 *
 *   POST /v1/lan/addresses   BoxSetAddress  → LanDone    edit the address of one device (INIT-21)
 *   POST /v1/lan/recovery    BoxRecovery    → LanDone    how a forgotten password may be replaced later (PWD-08)
 *   POST /v1/lan/reset       BoxReset       → LanDone    a new password for answers to the questions (PWD-07)
 *   POST /v1/lan/questions   BoxMac         → LanQuestions
 *   POST /v1/lan/unbind      BoxUnbind      → LanDone    away from a cloud account (UNBD-02)
 *
 * The portal's API has the same for several devices under `/api/v1/sites/{siteId}/lan/…`.
 */

/** Masks that may be chosen, the usual one first (INIT-22): whoever types one mistypes one. */
export const SUBNET_MASKS = [
  '255.255.255.0',
  '255.255.255.128',
  '255.255.255.192',
  '255.255.255.224',
  '255.255.255.240',
  '255.255.255.248',
  '255.255.255.252',
  '255.255.254.0',
  '255.255.252.0',
  '255.255.248.0',
  '255.255.240.0',
  '255.255.224.0',
  '255.255.192.0',
  '255.255.128.0',
  '255.255.0.0',
  '255.0.0.0',
] as const;
export const SubnetMask = z.enum(SUBNET_MASKS);

const number = (ip: string) => ip.split('.').reduce((n, part) => n * 256 + Number(part), 0);
const inSubnet = (a: string, b: string, mask: string) => {
  const bits = number(mask);
  return Number(BigInt(number(a)) & BigInt(bits)) === Number(BigInt(number(b)) & BigInt(bits));
};

/** What is wrong with the address of a device, or null: network and broadcast address, or a gateway of another subnet. */
export function addressFault(o: { address: string; subnetMask: string; gateway: string | null }): string | null {
  const host = number(o.address);
  const size = 2 ** 32 - number(o.subnetMask);
  const [first] = o.address.split('.').map(Number) as [number];
  if (first === 0 || first >= 224) return 'No device can have this address.';
  if (host % size === 0 || host % size === size - 1) return 'The first and the last address of a network are taken.';
  if (o.gateway === null) return null;
  if (o.gateway === o.address) return 'The gateway is the device itself.';
  return inSubnet(o.address, o.gateway, o.subnetMask) ? null : 'The gateway is in another network than the address.';
}

const Ipv4 = z.ipv4();
/** DHCP, or all of the rest. */
export const Addressing = z.discriminatedUnion('dhcp', [
  z.strictObject({ dhcp: z.literal(true) }),
  z
    .strictObject({
      dhcp: z.literal(false),
      address: Ipv4,
      subnetMask: SubnetMask,
      gateway: Ipv4.nullable(),
      dns: z.array(Ipv4).max(2).default([]),
    })
    .superRefine((value, context) => {
      const fault = addressFault(value);
      if (fault) context.addIssue({ code: 'custom', message: fault, path: [fault.split(':')[0] as string] });
    }),
]);
export type Addressing = z.infer<typeof Addressing>;

const Password = z.string().min(1).max(128);
/** `deviceId`: it is added at this box, which knows its login. */
export const BoxSetAddress = z.object({
  mac: Mac,
  deviceId: z.uuid().nullable(),
  password: Password.nullable(),
  to: Addressing,
});
export type BoxSetAddress = z.infer<typeof BoxSetAddress>;

export const SecurityAnswer = z.object({ id: z.int().min(1).max(64), answer: z.string().trim().min(1).max(128) });
/** Three different questions, as devices want them. */
export const SecurityAnswers = z
  .array(SecurityAnswer)
  .length(3)
  .refine((all) => new Set(all.map((one) => one.id)).size === 3, 'three different questions');
export const Recovery = z
  .object({ email: z.email().max(64).nullable(), answers: SecurityAnswers.nullable() })
  .refine((o) => o.email !== null || o.answers !== null, 'an e-mail address, answers, or both');
export const BoxRecovery = z.object({ mac: Mac, password: Password, recovery: Recovery });
export type BoxRecovery = z.infer<typeof BoxRecovery>;
export const BoxReset = z.object({ mac: Mac, answers: SecurityAnswers, newPassword: DevicePassword });
export type BoxReset = z.infer<typeof BoxReset>;
export const BoxUnbind = z.object({ mac: Mac, password: Password });
export type BoxUnbind = z.infer<typeof BoxUnbind>;
export const BoxMac = z.object({ mac: Mac });
export const LanQuestions = z.object({
  /** What a reset may use, as the device says. */
  mail: z.boolean(),
  questions: z.array(z.object({ id: z.int(), set: z.boolean() })).max(32),
});
export type LanQuestions = z.infer<typeof LanQuestions>;
/** `address`: where it is now, as far as known. `text`: what a person should know. */
export const LanDone = z.object({ address: z.string().max(45).nullable(), text: z.string().max(400).nullable() });
export type LanDone = z.infer<typeof LanDone>;

/** A batch from the portal: one password for all, or one for each. */
export const SetAddresses = z.object({
  boxSerial: Serial,
  items: z
    .array(z.object({ mac: Mac, password: Password.optional(), to: Addressing }))
    .min(1)
    .max(64)
    .superRefine((items, context) => {
      const seen = new Set<string>();
      items.forEach((item, i) => {
        const address = item.to.dhcp ? null : item.to.address;
        if (address && seen.has(address)) {
          context.addIssue({
            code: 'custom',
            message: 'Two devices would get this address.',
            path: [i, 'to', 'address'],
          });
        }
        if (address) seen.add(address);
      });
    }),
});
export type SetAddresses = z.input<typeof SetAddresses>;
export const LanResult = z.object({
  mac: Mac,
  done: z.boolean(),
  address: z.string().nullable(),
  /** Why not: a code of the API, and a sentence. */
  code: z.string().nullable(),
  detail: z.string().nullable(),
});
export type LanResult = z.infer<typeof LanResult>;
