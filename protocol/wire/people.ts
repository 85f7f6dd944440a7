import { z } from 'zod';
import { AUTHENTICATION_FIELDS, COUNTRIES } from './countries.ts';
import { Instant, Uuid } from './ids.ts';
import { CompanyType, RegisteredType, RolePermission } from './rights.ts';

/*
 * Companies and people: registration, sign-in and own account, employees, roles. Under /api/v1 like the rest.
 */

export const LOCALES = ['en', 'de'] as const;
export const Locale = z.enum(LOCALES);

export const Country = z
  .string()
  .toUpperCase()
  .refine((code) => COUNTRIES.includes(code), 'two letters of ISO 3166, like DE');

/**
 * No control characters: names end up in headings of mails. Nor those that are not seen and turn the direction of writing or
 * make two names look alike; the joiners, which some scripts and emoji need, stay.
 */
export const LINE = /^(?:[\u200C\u200D]|[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}])*$/u;
const line = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    .regex(LINE, 'one line')
    .refine((text) => /[^\s\u200C\u200D]/u.test(text), 'nothing to be seen');
const optionalLine = (max: number) => z.string().trim().max(max).regex(LINE, 'one line');
export const PersonName = line(64).meta({ example: 'Ines Keller' });
export const Email = z.string().trim().toLowerCase().max(254).pipe(z.email()).meta({ example: 'ines@keller.example' });
/** E.164; blanks, brackets and hyphens of the way people write are taken out, a leading 00 is a plus. */
export const Phone = z
  .string()
  .max(40)
  .transform((text) => text.replace(/[\s()./-]/g, '').replace(/^00/, '+'))
  .pipe(z.string().regex(/^\+[1-9]\d{6,14}$/, 'with country code, like +49 30 1234567'))
  .meta({ example: '+49 30 1234567' });
/** As it is entered to sign in; what a new one must be, the relay says (`weak-password`). */
export const Password = z.string().min(1).max(128);
export const PASSWORD_MIN = 10;
export const PASSWORD_MAX = 128;
const Secret = z.string().min(20).max(128);
const Code = z
  .string()
  .transform((text) => text.replace(/\s/g, ''))
  .pipe(z.string().regex(/^\d{6}$/, 'six digits'))
  .meta({ example: '123456' });

// --- registration: who proves an address chooses the password, so that nobody registers another's with a password of his own
const person = { name: PersonName, locale: Locale.default('en') };
export const Register = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('company'),
    type: RegisteredType,
    companyName: line(64).meta({ example: 'Keller Security' }),
    country: Country,
    email: Email,
    ...person,
  }),
  z.object({ kind: z.literal('employee'), companyName: line(64), email: Email, ...person }),
  z
    .object({
      kind: z.literal('customer'),
      country: Country,
      email: Email.optional(),
      phone: Phone.optional(),
      ...person,
    })
    .refine((r) => (r.email === undefined) !== (r.phone === undefined), { path: ['email'], error: 'one of both' }),
]);
export type Register = z.infer<typeof Register>;
/** The same for an address that is known and one that is not: which of both, only its owner learns. */
export const Sent = z.object({ id: Uuid, by: z.enum(['email', 'phone']), expiresAt: Instant, resendAt: Instant });
export type Sent = z.infer<typeof Sent>;
export const Resend = z.object({ id: Uuid });
export const VerifyCode = z.object({ id: Uuid, code: Code });
export const ConfirmByCode = VerifyCode.extend({ password: Password });
export const LinkSecret = z.object({ token: Secret });
export const ConfirmByLink = LinkSecret.extend({ password: Password });
export const SimilarCompany = z.object({ id: Uuid, name: z.string(), country: z.string(), type: CompanyType });
export type SimilarCompany = z.infer<typeof SimilarCompany>;
/** What a link is for, before it is used. */
export const LinkShown = z.object({
  for: z.enum(['registration', 'employee', 'email', 'password']),
  /** E-mail address, or phone number. */
  target: z.string(),
  name: z.string(),
  /** For `employee`: companies with a name like the one entered. */
  companies: z.array(SimilarCompany),
});
export type LinkShown = z.infer<typeof LinkShown>;
export const Join = ConfirmByLink.extend({ companyId: Uuid, message: optionalLine(200).default('') });
export const Joined = z.object({ company: z.string() });

export const ForgottenPassword = z.object({ account: z.string().trim().min(3).max(254) });

export const InvitationShown = z.object({
  company: z.string(),
  email: z.string(),
  name: z.string(),
  roles: z.array(z.string()),
  expiresAt: Instant,
});
export type InvitationShown = z.infer<typeof InvitationShown>;
export const AcceptInvitation = ConfirmByLink.extend(person);

// --- own account
export const Profile = z.object({
  name: z.string(),
  email: z.string().nullable(),
  phone: z.string().nullable(),
  locale: Locale,
  createdAt: Instant,
  totp: z.boolean(),
  recoveryCodesLeft: z.int(),
});
export type Profile = z.infer<typeof Profile>;
export const ChangeProfile = z.object({ name: PersonName, locale: Locale });
export const ChangePassword = z.object({ password: Password, newPassword: Password });
export const ChangeEmail = z.object({ email: Email, password: Password });
export const ChangePhone = z.object({ phone: Phone, password: Password });
export const Confirm = z.object({ password: Password });
/** `code`: of the authenticator app, or a recovery code. */
export const ConfirmWithCode = Confirm.extend({ code: z.string().trim().min(6).max(32).meta({ example: '123456' }) });
export const TotpSetup = z.object({
  secret: z.string(),
  uri: z.string(),
  /** SVG of the QR code, as a data URL. */
  qr: z.string(),
});
export type TotpSetup = z.infer<typeof TotpSetup>;
export const TotpCode = z.object({ code: Code });
export const RecoveryCodes = z.object({ codes: z.array(z.string()) });
export const Session = z.object({
  id: Uuid,
  current: z.boolean(),
  /** Browser and system as the device says them itself. */
  device: z.string(),
  address: z.string(),
  createdAt: Instant,
  seenAt: Instant,
  expiresAt: Instant,
});
export type Session = z.infer<typeof Session>;

// --- company
export const AuthenticationState = z.enum(['none', 'submitted', 'approved', 'rejected']);
export const Company = z.object({
  id: Uuid,
  name: z.string(),
  type: CompanyType,
  country: z.string(),
  address: z.string(),
  phone: z.string(),
  authentication: AuthenticationState,
  channelPartner: z.boolean(),
  people: z.int(),
  /** Employee account add-ons: accounts without limit beside the administrator's. */
  slots: z.int(),
  slotsUsed: z.int(),
});
export type Company = z.infer<typeof Company>;
export const ChangeCompany = z.object({
  name: line(64),
  address: optionalLine(256),
  phone: z.union([z.literal(''), Phone]),
});
export const AuthenticationDocument = z.partialRecord(z.enum(AUTHENTICATION_FIELDS), optionalLine(256));
export type AuthenticationDocument = z.infer<typeof AuthenticationDocument>;
export const SubmitAuthentication = z.object({ fields: AuthenticationDocument });
export const CompanyAuthentication = z.object({
  state: AuthenticationState,
  /** What this country asks for. */
  asked: z.array(z.object({ field: z.enum(AUTHENTICATION_FIELDS), required: z.boolean() })),
  /** As submitted last. */
  fields: AuthenticationDocument,
  submittedAt: Instant.nullable(),
  decidedAt: Instant.nullable(),
  /** Why it was rejected. */
  reason: z.string(),
});
export type CompanyAuthentication = z.infer<typeof CompanyAuthentication>;

// --- people and roles
export const RoleRef = z.object({ id: Uuid, name: z.string() });
export const Person = z.object({
  id: Uuid,
  name: z.string(),
  email: z.string().nullable(),
  phone: z.string().nullable(),
  admin: z.boolean(),
  enabled: z.boolean(),
  limited: z.boolean(),
  roles: z.array(RoleRef),
  createdAt: Instant,
});
export type Person = z.infer<typeof Person>;
const roles = z.array(Uuid).max(50);
export const SetRoles = z.object({ roles });
export const SetEnabled = z.object({ enabled: z.boolean() });
export const SetLimited = z.object({ limited: z.boolean() });
export const SetAdministrator = z.object({ userId: Uuid, password: Password });

export const Role = z.object({
  id: Uuid,
  name: z.string(),
  permissions: z.array(RolePermission),
  /** How many people have it. */
  people: z.int(),
});
export type Role = z.infer<typeof Role>;
export const EditRole = z.object({
  name: line(64).meta({ example: 'Technician' }),
  permissions: z.array(RolePermission).max(20),
});

export const Invitation = z.object({
  id: Uuid,
  email: z.string(),
  name: z.string(),
  roles: z.array(RoleRef),
  state: z.enum(['open', 'expired', 'accepted', 'withdrawn']),
  invitedBy: z.string(),
  createdAt: Instant,
  sentAt: Instant,
  expiresAt: Instant,
});
export type Invitation = z.infer<typeof Invitation>;
export const CreateInvitation = z.object({
  email: Email,
  name: optionalLine(64).default(''),
  roles: roles.default([]),
  locale: Locale.default('en'),
});

export const JoinRequest = z.object({
  id: Uuid,
  name: z.string(),
  email: z.string(),
  message: z.string(),
  createdAt: Instant,
});
export type JoinRequest = z.infer<typeof JoinRequest>;
export const AcceptJoinRequest = z.object({ roles: roles.default([]) });
