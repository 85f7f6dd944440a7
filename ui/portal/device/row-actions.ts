import type { ActionName, DeviceAction, DeviceListItem, ListName } from '../../../protocol/wire/operations.ts';

interface RowAction {
  action: ActionName;
  /** Can be taken back within a few seconds before it is sent, because the device cannot. */
  undo?: true;
  when?: (item: DeviceListItem) => boolean;
  of: (item: DeviceListItem, channel: number) => DeviceAction;
}

const number = (item: DeviceListItem): number => Number(item.id);

/** What can be done with an item of each list; only what the device offers is shown. */
export const ROW_ACTIONS: Partial<Record<ListName, readonly RowAction[]>> = {
  presets: [
    { action: 'presetCall', of: ({ id }, channel) => ({ action: 'presetCall', channel, preset: id }) },
    { action: 'presetDelete', undo: true, of: ({ id }, channel) => ({ action: 'presetDelete', channel, preset: id }) },
  ],
  patrols: [
    { action: 'patrolStart', of: (item, channel) => ({ action: 'patrolStart', channel, patrol: number(item) }) },
    { action: 'patrolStop', of: (item, channel) => ({ action: 'patrolStop', channel, patrol: number(item) }) },
  ],
  patterns: [
    { action: 'patternRun', of: (item, channel) => ({ action: 'patternRun', channel, pattern: number(item) }) },
    { action: 'patternStop', of: (item, channel) => ({ action: 'patternStop', channel, pattern: number(item) }) },
  ],
  alarmOutputs: [
    {
      action: 'alarmOutput',
      of: ({ id, values }) => ({ action: 'alarmOutput', output: id, active: values.active !== true }),
    },
  ],
  doors: [
    { action: 'doorOpen', of: (item) => ({ action: 'doorOpen', door: number(item) }) },
    { action: 'doorRemainOpen', of: (item) => ({ action: 'doorRemainOpen', door: number(item) }) },
    { action: 'doorRemainClosed', of: (item) => ({ action: 'doorRemainClosed', door: number(item) }) },
    { action: 'doorResume', of: (item) => ({ action: 'doorResume', door: number(item) }) },
  ],
  areas: [
    { action: 'areaArmAway', of: (item) => ({ action: 'areaArmAway', area: number(item) }) },
    { action: 'areaArmStay', of: (item) => ({ action: 'areaArmStay', area: number(item) }) },
    { action: 'areaDisarm', of: (item) => ({ action: 'areaDisarm', area: number(item) }) },
    { action: 'areaSilence', of: (item) => ({ action: 'areaSilence', area: number(item) }) },
  ],
  zones: [
    {
      action: 'zoneBypass',
      when: ({ values }) => values.bypassed !== true,
      of: (item) => ({ action: 'zoneBypass', zone: number(item) }),
    },
    {
      action: 'zoneUnbypass',
      when: ({ values }) => values.bypassed !== false,
      of: (item) => ({ action: 'zoneUnbypass', zone: number(item) }),
    },
  ],
  recorderChannels: [
    { action: 'channelDelete', undo: true, of: (item) => ({ action: 'channelDelete', channel: number(item) }) },
  ],
  audioFiles: [{ action: 'play', of: ({ id }) => ({ action: 'play', file: id }) }],
  switchPorts: [{ action: 'portRestart', undo: true, of: (item) => ({ action: 'portRestart', port: number(item) }) }],
};
