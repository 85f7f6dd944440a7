import type { Device, MakePart } from '../../devices/device.ts';

const ON = ['true', 'false'];
const LEVEL: [number, number] = [0, 100];

/** Image settings, OSD and privacy masks of one video input (isapi §14; names from the vendor's URL table). */
export function addPicture(device: Device, channel: number, name: string): void {
  const { documents, profile: p } = device;
  const ns = `version="2.0" xmlns="${p.odd.namespace}"`;
  const at = `/System/Video/inputs/channels/${channel}`;
  documents.add(
    at,
    `<VideoInputChannel ${ns}><id>${channel}</id><inputPort>${channel}</inputPort><videoInputEnabled>true</videoInputEnabled><name>${name}</name><videoFormat>PAL</videoFormat></VideoInputChannel>`,
    { fixed: ['id', 'inputPort'] },
  );
  const image = `/Image/channels/${channel}`;
  documents.add(
    image,
    `<ImageChannel ${ns}>
<id>${channel}</id>
<enabled>true</enabled>
<videoInputID>${channel}</videoInputID>
<ImageFlip><enabled>false</enabled><ImageFlipStyle>CENTER</ImageFlipStyle></ImageFlip>
<WDR><mode>close</mode><WDRLevel>50</WDRLevel></WDR>
<BLC><enabled>false</enabled><BLCMode>CENTER</BLCMode></BLC>
<HLC><enabled>false</enabled><HLCLevel>50</HLCLevel></HLC>
<NoiseReduce><mode>general</mode><GeneralMode><generalLevel>50</generalLevel></GeneralMode></NoiseReduce>
<WhiteBalance><WhiteBalanceStyle>auto1</WhiteBalanceStyle><WhiteBalanceRed>0</WhiteBalanceRed><WhiteBalanceBlue>0</WhiteBalanceBlue></WhiteBalance>
<Exposure><ExposureType>auto</ExposureType><OverexposeSuppress><enabled>false</enabled></OverexposeSuppress></Exposure>
<Sharpness><SharpnessLevel>50</SharpnessLevel></Sharpness>
<Gain><GainLevel>100</GainLevel></Gain>
<Shutter><ShutterLevel>1/25</ShutterLevel></Shutter>
<powerLineFrequency><powerLineFrequencyMode>50hz</powerLineFrequencyMode></powerLineFrequency>
<Color><brightnessLevel>50</brightnessLevel><contrastLevel>50</contrastLevel><saturationLevel>50</saturationLevel><hueLevel>50</hueLevel></Color>
<IrcutFilter><IrcutFilterType>auto</IrcutFilterType><nightToDayFilterLevel>4</nightToDayFilterLevel><nightToDayFilterTime>5</nightToDayFilterTime></IrcutFilter>
</ImageChannel>`,
    {
      fixed: ['id', 'videoInputID'],
      values: {
        'Color/brightnessLevel': LEVEL,
        'Color/contrastLevel': LEVEL,
        'Color/saturationLevel': LEVEL,
        'Color/hueLevel': LEVEL,
        'Sharpness/SharpnessLevel': LEVEL,
        'WDR/mode': ['open', 'close', 'auto'],
        'WDR/WDRLevel': LEVEL,
        'BLC/enabled': ON,
        'HLC/enabled': ON,
        'HLC/HLCLevel': LEVEL,
        'IrcutFilter/IrcutFilterType': ['auto', 'day', 'night', 'schedule'],
      },
      // One at a time, as such sensors have it.
      check: (wanted) => {
        const on = (group: string, leaf: string, word: string) =>
          wanted.children.find((c) => c.name === group)?.children.find((c) => c.name === leaf)?.text === word;
        const active = [on('WDR', 'mode', 'open'), on('BLC', 'enabled', 'true'), on('HLC', 'enabled', 'true')];
        return active.filter(Boolean).length > 1 ? 'mutexFunction' : null;
      },
    },
  );
  documents.add(
    `${image}/capabilities`,
    `<ImageChannel ${ns}>
<id opt="${channel}"/>
<ImageFlip><enabled opt="true,false"/><ImageFlipStyle opt="LEFTRIGHT,UPDOWN,CENTER"/></ImageFlip>
<WDR><mode opt="open,close,auto"/><WDRLevel min="0" max="100"/></WDR>
<BLC><enabled opt="true,false"/><BLCMode opt="UP,DOWN,LEFT,RIGHT,CENTER,AUTO"/></BLC>
<HLC><enabled opt="true,false"/><HLCLevel min="0" max="100"/></HLC>
<NoiseReduce><mode opt="close,general,advanced"/><GeneralMode><generalLevel min="0" max="100"/></GeneralMode></NoiseReduce>
<WhiteBalance><WhiteBalanceStyle opt="manual,auto1,locked,sun,incandescent"/></WhiteBalance>
<Exposure><ExposureType opt="auto,manual"/></Exposure>
<Sharpness><SharpnessLevel min="0" max="100"/></Sharpness>
<Shutter><ShutterLevel opt="1/3,1/6,1/12,1/25,1/50,1/100,1/150,1/200,1/250,1/500"/></Shutter>
<powerLineFrequency><powerLineFrequencyMode opt="50hz,60hz"/></powerLineFrequency>
<Color><brightnessLevel min="0" max="100"/><contrastLevel min="0" max="100"/><saturationLevel min="0" max="100"/><hueLevel min="0" max="100"/></Color>
<IrcutFilter><IrcutFilterType opt="auto,day,night,schedule"/><nightToDayFilterLevel min="0" max="7"/><nightToDayFilterTime min="5" max="120"/></IrcutFilter>
</ImageChannel>`,
    { readOnly: true },
  );
  const groups = {
    color: 'Color',
    WDR: 'WDR',
    BLC: 'BLC',
    HLC: 'HLC',
    sharpness: 'Sharpness',
    noiseReduce: 'NoiseReduce',
    whiteBalance: 'WhiteBalance',
    exposure: 'Exposure',
    imageFlip: 'ImageFlip',
    shutter: 'Shutter',
    ircutFilter: 'IrcutFilter',
    powerLineFrequency: 'powerLineFrequency',
  };
  for (const [path, element] of Object.entries(groups)) documents.part(`${image}/${path}`, image, element);

  const text = (id: number) =>
    `<TextOverlay><id>${id}</id><enabled>false</enabled><positionX>16</positionX><positionY>${480 - 32 * id}</positionY><displayText></displayText></TextOverlay>`;
  documents.add(
    `${at}/overlays`,
    `<VideoOverlay ${ns}>
<normalizedScreenSize><normalizedScreenWidth>704</normalizedScreenWidth><normalizedScreenHeight>576</normalizedScreenHeight></normalizedScreenSize>
<attribute><transparent>false</transparent><flashing>false</flashing></attribute>
<fontSize>adaptive</fontSize>
<TextOverlayList size="${p.odd.listsSayEmpty ? 0 : 4}">${[1, 2, 3, 4].map(text).join('')}</TextOverlayList>
<DateTimeOverlay><enabled>true</enabled><positionX>0</positionX><positionY>544</positionY><dateStyle>DD-MM-YYYY</dateStyle><timeStyle>24hour</timeStyle><displayWeek>true</displayWeek></DateTimeOverlay>
<channelNameOverlay version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema"><enabled>true</enabled><positionX>512</positionX><positionY>64</positionY></channelNameOverlay>
<frontColorMode>auto</frontColorMode>
<frontColor>000000</frontColor>
</VideoOverlay>`,
    {
      fixed: ['normalizedScreenSize/normalizedScreenWidth', 'normalizedScreenSize/normalizedScreenHeight'],
      values: {
        'DateTimeOverlay/positionX': [0, 704],
        'DateTimeOverlay/positionY': [0, 576],
        'channelNameOverlay/positionX': [0, 704],
        'channelNameOverlay/positionY': [0, 576],
        'DateTimeOverlay/enabled': ON,
        'channelNameOverlay/enabled': ON,
      },
    },
  );
  documents.part(`${at}/overlays/dateTimeOverlay`, `${at}/overlays`, 'DateTimeOverlay');
  documents.part(`${at}/overlays/channelNameOverlay`, `${at}/overlays`, 'channelNameOverlay');
  documents.part(`${at}/overlays/text`, `${at}/overlays`, 'TextOverlayList');
  documents.add(
    `${at}/overlays/capabilities`,
    `<VideoOverlay ${ns}><TextOverlayList size="4"/><DateTimeOverlay><dateStyle opt="YYYY-MM-DD,MM-DD-YYYY,DD-MM-YYYY"/><timeStyle opt="12hour,24hour"/></DateTimeOverlay><fontSize opt="16*16,32*32,48*48,64*64,adaptive"/></VideoOverlay>`,
    { readOnly: true },
  );
  documents.add(
    `${at}/privacyMask`,
    `<PrivacyMask ${ns}><enabled>false</enabled><normalizedScreenSize><normalizedScreenWidth>1000</normalizedScreenWidth><normalizedScreenHeight>1000</normalizedScreenHeight></normalizedScreenSize><PrivacyMaskRegionList size="4"/></PrivacyMask>`,
    {
      missing: 'keep',
      values: { enabled: ON },
      fixed: ['normalizedScreenSize/normalizedScreenWidth', 'normalizedScreenSize/normalizedScreenHeight'],
      check: (wanted) => {
        const list = wanted.children.find((c) => c.name === 'PrivacyMaskRegionList');
        return (list?.children.length ?? 0) > 4 ? 'badParameters' : null;
      },
    },
  );
  documents.part(`${at}/privacyMask/regions`, `${at}/privacyMask`, 'PrivacyMaskRegionList');
}

/** Picture settings of a device's own video inputs. */
export const picture: MakePart = (device) => {
  const { documents, profile: p } = device;
  const inputs = [...Array(Math.max(1, p.analogChannels || 1)).keys()].map((i) => i + 1);
  for (const n of inputs) addPicture(device, n, p.analogChannels > 1 ? `Camera 0${n}` : p.name);
  documents.list(
    '/System/Video/inputs/channels',
    `<VideoInputChannelList version="2.0" xmlns="${p.odd.namespace}"/>`,
    () => inputs.map((n) => `/System/Video/inputs/channels/${n}`),
  );
  documents.list('/Image/channels', `<ImageChannellist version="2.0" xmlns="${p.odd.namespace}"/>`, () =>
    inputs.map((n) => `/Image/channels/${n}`),
  );
  return {};
};
