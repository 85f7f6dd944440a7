import { core } from './001-core.ts';
import { clips } from './002-clips.ts';
import { arc } from './003-arc.ts';
import { idempotency } from './004-idempotency.ts';
import { tenancy } from './005-tenancy.ts';
import { people } from './006-people.ts';
import { sites } from './007-sites.ts';
import { handover } from './008-handover.ts';
import { sharing } from './009-sharing.ts';
import { notify } from './010-notify.ts';
import { platform } from './011-platform.ts';
import { operator } from './012-operator.ts';
import { home } from './013-home.ts';
import { activation } from './014-activation.ts';
import { firmware } from './016-firmware.ts';
import { radar } from './017-radar.ts';
import { verification } from './018-verification.ts';
import { passwordRequests } from './019-password-requests.ts';
import { keptPasswords } from './020-kept-passwords.ts';
import { recorderOrders } from './021-recorder-orders.ts';
import { firmwareUsed } from './022-firmware-used.ts';
import { alarmLog } from './023-alarm-log.ts';
import { arcJoining } from './024-arc-joining.ts';
import { arcService } from './025-arc-service.ts';
import { ownLine } from './026-own-line.ts';
import { receiver } from './027-receiver.ts';
import { arcDesk } from './028-arc-desk.ts';
import { endedAccounts } from './029-ended-accounts.ts';
import { cloudClips } from './030-cloud-clips.ts';
import { footage } from './031-footage.ts';
import { cloudPlans } from './032-cloud-plans.ts';
import { viewings } from './033-viewings.ts';
import { uplink } from './034-uplink.ts';
import { joinedClips } from './035-joined-clips.ts';
import { eventsOfATime } from './036-events-of-a-time.ts';
import { silentChannels } from './037-silent-channels.ts';
import { grantedObjects } from './038-granted-objects.ts';
import { listedClips } from './039-listed-clips.ts';
import { setupsByDevice } from './040-setups-by-device.ts';
import { deviceTls } from './042-device-tls.ts';
import type { Migration } from './migration.ts';

/** Every step in order. Append only. */
export const migrations: readonly Migration[] = [
  core,
  clips,
  arc,
  idempotency,
  tenancy,
  people,
  sites,
  handover,
  sharing,
  platform,
  notify,
  operator,
  home,
  activation,
  verification,
  firmware,
  radar,
  passwordRequests,
  keptPasswords,
  recorderOrders,
  firmwareUsed,
  alarmLog,
  arcJoining,
  arcService,
  ownLine,
  receiver,
  arcDesk,
  endedAccounts,
  cloudClips,
  footage,
  cloudPlans,
  uplink,
  viewings,
  joinedClips,
  eventsOfATime,
  silentChannels,
  grantedObjects,
  listedClips,
  setupsByDevice,
  deviceTls,
];
