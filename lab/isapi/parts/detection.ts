import type { Device, MakePart } from '../../devices/device.ts';
import { isRecorder } from '../../devices/profile.ts';

const NOTIFY = (id: string) =>
  `<EventTriggerNotification><id>${id}</id><notificationMethod>${id}</notificationMethod><notificationRecurrence>beginning</notificationRecurrence></EventTriggerNotification>`;

/** Motion detection, its schedule and its trigger for one channel (isapi §9). A recorder's IP channel has its own path. */
export function addMotion(device: Device, channel: number, path: string, own: boolean): string[] {
  const { documents, profile: p } = device;
  const ns = `version="2.0" xmlns="${p.odd.namespace}"`;
  const rows = p.odd.time === 'falseZ' ? 15 : 18;
  documents.add(
    path,
    `<MotionDetection ${ns}>
<enabled>${own && p.kind === 'camera'}</enabled>
<enableHighlight>true</enableHighlight>
<samplingInterval>2</samplingInterval>
<startTriggerTime>500</startTriggerTime>
<endTriggerTime>500</endTriggerTime>
<regionType>grid</regionType>
<Grid><rowGranularity>${rows}</rowGranularity><columnGranularity>22</columnGranularity></Grid>
<MotionDetectionLayout><sensitivityLevel>40</sensitivityLevel><layout><gridMap>${'000000'.repeat(rows)}</gridMap></layout></MotionDetectionLayout>
</MotionDetection>`,
    {
      fixed: ['Grid/rowGranularity', 'Grid/columnGranularity'],
      values: {
        enabled: ['true', 'false'],
        'MotionDetectionLayout/sensitivityLevel': ['0', '20', '40', '60', '80', '100'],
      },
      check: (wanted) => {
        const layout = wanted.children.find((c) => c.name === 'MotionDetectionLayout');
        const map = layout?.children.find((c) => c.name === 'layout')?.children[0];
        if (!map || !new RegExp(`^[0-9a-fA-F]{${rows * 6}}$`).test(map.text)) return 'badXmlContent';
        // The bits beyond the last column come back set.
        map.text = map.text.replace(
          /(.{5})(.)/g,
          (_, row: string, last: string) => row + (Number.parseInt(last, 16) | 2).toString(16),
        );
        if (/^(000002)+$/.test(map.text)) map.text = '000000'.repeat(rows);
        return null;
      },
    },
  );
  const week = [1, 2, 3, 4, 5, 6, 7]
    .map(
      (day) =>
        `<TimeBlock><dayOfWeek>${day}</dayOfWeek><TimeRange><beginTime>00:00</beginTime><endTime>24:00</endTime></TimeRange></TimeBlock>`,
    )
    .join('');
  documents.add(
    `/Event/schedules/motionDetections/VMD_video${channel}`,
    `<Schedule ${ns}><id>VMD_video${channel}</id><eventType>VMD</eventType><videoInputChannelID>${channel}</videoInputChannelID><TimeBlockList size="8">${week}</TimeBlockList></Schedule>`,
    { fixed: ['id'] },
  );
  const input = own ? 'videoInputChannelID' : 'dynVideoInputChannelID';
  const rowsOf: [string, string][] = [
    [`VMD-${channel}`, 'VMD'],
    [`linedetection-${channel}`, 'linedetection'],
    [`fielddetection-${channel}`, 'fielddetection'],
    [`tamper-${channel}`, p.odd.tamperWord],
    [`videoloss-${channel}`, 'videoloss'],
  ];
  return rowsOf.map(([id, type]) => {
    const at = `/Event/triggers/${id}`;
    // Cameras of the lab tell the surveillance centre from the factory; those of other kinds must be made to.
    const list = p.kind === 'camera' || type !== 'VMD' ? NOTIFY('center') : NOTIFY('beep');
    documents.add(
      at,
      `<EventTrigger ${ns}><id>${id}</id><eventType>${type}</eventType><eventDescription>${type} Event trigger Information</eventDescription><${input}>${channel}</${input}><EventTriggerNotificationList>${list}</EventTriggerNotificationList></EventTrigger>`,
      { fixed: ['id', 'eventType'] },
    );
    documents.part(`${at}/notifications`, at, 'EventTriggerNotificationList');
    return at;
  });
}

/** What a camera detects, and what it does then. */
export const detection: MakePart = (device) => {
  const { documents, profile: p } = device;
  const root = '/System/Video/inputs/channels';
  const channels = [...Array(Math.max(1, p.analogChannels || 1)).keys()].map((i) => i + 1);
  const triggers = channels.flatMap((n) => addMotion(device, n, `${root}/${n}/motionDetection`, true));
  for (const n of channels) {
    const ns = `version="2.0" xmlns="${p.odd.namespace}"`;
    documents.add(
      `${root}/${n}/tamperDetection`,
      `<TamperDetection ${ns}><enabled>false</enabled><sensitivityLevel>0</sensitivityLevel></TamperDetection>`,
      { values: { enabled: ['true', 'false'] } },
    );
    const region = (id: number) =>
      `<FieldDetectionRegion><id>${id}</id><enabled>false</enabled><sensitivityLevel>50</sensitivityLevel><timeThreshold>5</timeThreshold><detectionTarget>human,vehicle</detectionTarget><RegionCoordinatesList></RegionCoordinatesList></FieldDetectionRegion>`;
    documents.add(
      `/Smart/FieldDetection/${n}`,
      `<FieldDetection ${ns}><id>${n}</id><enabled>false</enabled><normalizedScreenSize><normalizedScreenWidth>1000</normalizedScreenWidth><normalizedScreenHeight>1000</normalizedScreenHeight></normalizedScreenSize><FieldDetectionRegionList>${[1, 2, 3, 4].map(region).join('')}</FieldDetectionRegionList></FieldDetection>`,
      { fixed: ['id'] },
    );
    const line = (id: number) =>
      `<LineItem><id>${id}</id><enabled>false</enabled><sensitivityLevel>50</sensitivityLevel><directionSensitivity>any</directionSensitivity><CoordinatesList></CoordinatesList></LineItem>`;
    documents.add(
      `/Smart/LineDetection/${n}`,
      `<LineDetection ${ns}><id>${n}</id><enabled>false</enabled><normalizedScreenSize><normalizedScreenWidth>1000</normalizedScreenWidth><normalizedScreenHeight>1000</normalizedScreenHeight></normalizedScreenSize><LineItemList>${[1, 2, 3, 4].map(line).join('')}</LineItemList></LineDetection>`,
      { fixed: ['id'] },
    );
    documents.add(
      `/Event/channels/${n}/capabilities`,
      `<ChannelEventCap ${ns}><eventType opt="motionDetection,VMD,tamperDetection,Shelteralarm,fieldDetection,fielddetection,lineDetection,linedetection"/></ChannelEventCap>`,
      { readOnly: true },
    );
  }
  const root2 = p.odd.errorsWith200 && !isRecorder(p.kind);
  const list = p.odd.listsSayEmpty ? ' size="0"' : '';
  documents.list(
    '/Event/triggers',
    `<EventTriggerList version="2.0" xmlns="${p.odd.namespace}"${list}/>`,
    () => triggers,
  );
  if (root2)
    documents.add('/Event/capabilities', `<EventCap version="2.0" xmlns="${p.odd.namespace}"/>`, { readOnly: true });
  return {};
};
