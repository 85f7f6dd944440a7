import type { Documents } from '../documents.ts';
import { all, find, textOf } from '../xml.ts';

/** Events of the picture that a device tells only where their trigger notifies the surveillance centre (isapi §9). */
const BY_TRIGGER: ReadonlySet<string> = new Set(['VMD', 'linedetection', 'fielddetection']);

/** Whether the device tells of this event on its alertStream. */
export function tellsCenter(documents: Pick<Documents, 'at'>, type: string, channel: number): boolean {
  const trigger = BY_TRIGGER.has(type) ? documents.at(`/Event/triggers/${type}-${channel}`) : null;
  const list = trigger && find(trigger, 'EventTriggerNotificationList');
  if (!trigger) return true;
  return (
    list !== null && all(list, 'EventTriggerNotification').some((n) => textOf(n, 'notificationMethod') === 'center')
  );
}
