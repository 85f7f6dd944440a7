import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connected, Documents } from '../testing/documents.ts';
import { ScriptedDevice } from '../testing/scripted-device.ts';
import { channel } from './channel.ts';
import { image } from './image.ts';
import { osd } from './osd.ts';
import { privacyMask } from './privacy-mask.ts';

const IMAGE = '/Image/channels/1';
const INPUT = '/System/Video/inputs/channels/1';
const NS = 'version="2.0" xmlns="http://www.hikvision.com/ver20/XMLSchema"';
const PICTURE = `<ImageChannel ${NS}><id>1</id><ImageFlip><enabled>false</enabled><ImageFlipStyle>CENTER</ImageFlipStyle></ImageFlip><WDR><mode>close</mode><WDRLevel>50</WDRLevel></WDR><BLC><enabled>false</enabled><BLCMode>UP</BLCMode></BLC><HLC><enabled>false</enabled><HLCLevel>50</HLCLevel></HLC><Sharpness><SharpnessLevel>50</SharpnessLevel></Sharpness><Color><brightnessLevel>50</brightnessLevel><contrastLevel>50</contrastLevel><saturationLevel></saturationLevel></Color><IrcutFilter><IrcutFilterType>auto</IrcutFilterType></IrcutFilter></ImageChannel>`;
const PICTURE_CAPS =
  '<ImageChannel><ImageFlip><ImageFlipStyle opt="LEFTRIGHT,UPDOWN,CENTER"/></ImageFlip><WDR><mode opt="open,close,auto"/></WDR><BLC><BLCMode opt="UP,DOWN,CENTER"/></BLC><IrcutFilter><IrcutFilterType opt="auto,day,night"/></IrcutFilter></ImageChannel>';
const OVERLAYS = `<VideoOverlay ${NS}><normalizedScreenSize><normalizedScreenWidth>704</normalizedScreenWidth><normalizedScreenHeight>576</normalizedScreenHeight></normalizedScreenSize><TextOverlayList size="0"><TextOverlay><id>1</id><enabled>false</enabled><positionX>16</positionX><positionY>480</positionY><displayText/></TextOverlay></TextOverlayList><DateTimeOverlay><enabled>true</enabled><positionX>0</positionX><positionY>576</positionY><dateStyle>DD-MM-YYYY</dateStyle><timeStyle>24hour</timeStyle><displayWeek>true</displayWeek></DateTimeOverlay><channelNameOverlay xmlns="urn:psialliance-org"><enabled>true</enabled><positionX>352</positionX><positionY>0</positionY></channelNameOverlay></VideoOverlay>`;
const corners = (...points: [number, number][]) =>
  `<RegionCoordinatesList>${points.map(([x, y]) => `<RegionCoordinates><positionX>${x}</positionX><positionY>${y}</positionY></RegionCoordinates>`).join('')}</RegionCoordinatesList>`;
const mask = (id: number, ...points: [number, number][]) =>
  `<PrivacyMaskRegion><id>${id}</id><enabled>true</enabled><maskType>gray</maskType>${corners(...points)}</PrivacyMaskRegion>`;
const MASK = `<PrivacyMask ${NS}><enabled>false</enabled><normalizedScreenSize><normalizedScreenWidth>1000</normalizedScreenWidth><normalizedScreenHeight>1000</normalizedScreenHeight></normalizedScreenSize></PrivacyMask>`;
const masks = (...entries: string[]) =>
  `<PrivacyMaskRegionList ${NS} size="0">${entries.join('')}</PrivacyMaskRegionList>`;

let scripted: ScriptedDevice;
let documents: Documents;
let port: number;
let close = () => {};
beforeEach(async () => {
  scripted = new ScriptedDevice();
  port = await scripted.start();
  documents = new Documents(scripted);
  documents.set(IMAGE, PICTURE);
  documents.set(`${IMAGE}/capabilities`, PICTURE_CAPS);
});
afterEach(async () => {
  close();
  await scripted.stop();
});
const at = async () => {
  const all = await connected(scripted, port, [image, osd, privacyMask, channel]);
  close = all.close;
  return all;
};
const here = { channel: 1 };

describe('picture and backlight', () => {
  it('are told as the device has them; a value that is empty is none', async () => {
    const { features } = await at();
    const { sections, unverified } = await features.capabilities();
    expect(sections.map((s) => s.section)).toEqual(['picture', 'backlight']);
    expect(unverified).toEqual(['picture', 'backlight']);
    expect(await features.read('picture', here)).toMatchObject({
      value: expect.arrayContaining([
        { name: 'brightness', kind: 'number', value: 50, min: 0, max: 100, unit: null },
        { name: 'saturation', kind: 'number', value: null, min: 0, max: 100, unit: null },
        { name: 'dayNight', kind: 'choice', value: 'auto', options: ['auto', 'day', 'night'] },
        {
          name: 'sceneDirection',
          kind: 'choice',
          value: 'off',
          options: ['off', 'leftRight', 'upDown', 'both'],
        },
      ]),
    });
  });

  it('turns the picture (CHAN-05)', async () => {
    const { features } = await at();
    expect(await features.write('picture', here, { sceneDirection: 'upDown', contrast: 60 })).toMatchObject({
      value: { notKept: [] },
    });
    expect(documents.get(IMAGE)).toContain('<ImageFlip><enabled>true</enabled><ImageFlipStyle>UPDOWN</ImageFlipStyle>');
    expect(await features.write('picture', here, { sceneDirection: 'off' })).toMatchObject({ value: { notKept: [] } });
  });

  it('sets backlight compensation with its area, WDR and HLC, and says which the device refused (CHAN-07)', async () => {
    const { features } = await at();
    const set = { blc: true, blcArea: 'CENTER' };
    expect(await features.write('backlight', here, set)).toMatchObject({ value: { notKept: [] } });
    documents.set(IMAGE, documents.get(IMAGE), (body) =>
      body.includes('<HLC><enabled>true') ? { refuse: 'mutexFunction' } : body,
    );
    const written = await features.write('backlight', here, { wdr: 'on', hlc: true });
    expect(written).toMatchObject({ ok: false, subStatus: 'mutexFunction' });
    expect(written.ok ? '' : written.text).toMatch(/^WDR changed, HLC not/);
    expect(documents.get(IMAGE)).toContain('<mode>open</mode>');
  });

  it('goes into the part alone where the device has an address for it', async () => {
    documents.set(`${IMAGE}/color`, `<Color ${NS}><brightnessLevel>50</brightnessLevel></Color>`, (body) => {
      const brightness = /<brightnessLevel>\d+<\/brightnessLevel>/;
      documents.set(IMAGE, PICTURE.replace(brightness, brightness.exec(body)![0]));
      return body;
    });
    const { features } = await at();
    expect(await features.write('picture', here, { brightness: 70 })).toMatchObject({ value: { notKept: [] } });
    expect(documents.written.map((w) => w.path)).toEqual([`${IMAGE}/color`]);
  });
});

it('writes names, times and texts into the picture, places told from its upper left (CHAN-06)', async () => {
  documents.set(`${INPUT}/overlays`, OVERLAYS);
  const { features } = await at();
  const read = await features.read('osd', here);
  const values = Object.fromEntries(
    read.ok ? read.value.map((f) => [f.name, f.kind === 'secret' ? null : f.value]) : [],
  );
  expect(values).toEqual({
    showName: true,
    showTime: true,
    dateFormat: 'DD-MM-YYYY',
    timeFormat: '24hour',
    showWeekday: true,
    nameX: 50,
    nameY: 100,
    timeX: 0,
    timeY: 0,
    text1: '',
  });
  const set = { showName: false, timeX: 25, timeY: 50, text1: 'Süd <1> & 2' };
  expect(await features.write('osd', here, set)).toMatchObject({ value: { notKept: [] } });
  const body = documents.get(`${INPUT}/overlays`);
  expect(body).toContain('<positionX>176</positionX><positionY>288</positionY><dateStyle>');
  expect(body).toContain('<displayText>Süd &lt;1&gt; &amp; 2</displayText>');
  expect(await features.write('osd', here, { text1: '' })).toMatchObject({ value: { notKept: [] } });
  expect(documents.get(`${INPUT}/overlays`)).toContain('<displayText>Süd');
});

it('names a channel (CHAN-03)', async () => {
  documents.set(
    INPUT,
    `<VideoInputChannel ${NS}><id>1</id><inputPort>1</inputPort><name>Door</name></VideoInputChannel>`,
  );
  const { features } = await at();
  expect(await features.write('channel', here, { name: 'Gate & yard' })).toMatchObject({ value: { notKept: [] } });
  expect(documents.get(INPUT)).toContain('<inputPort>1</inputPort><name>Gate &amp; yard</name>');
});

describe('a privacy mask', () => {
  it('is drawn, redrawn and taken away; what else is in an entry stays', async () => {
    documents.set(`${INPUT}/privacyMask`, MASK);
    documents.set(
      `${INPUT}/privacyMask/regions`,
      masks(mask(1, [0, 1000], [500, 1000], [500, 500], [0, 500]), mask(2, [0, 0], [0, 0], [0, 0], [0, 0])),
    );
    const { features } = await at();
    const square: [number, number][] = [
      [0, 0],
      [0.5, 0],
      [0.5, 0.5],
      [0, 0.5],
    ];
    expect(await features.read('privacyMask', here)).toMatchObject({
      value: [
        { name: 'enabled', value: false },
        { name: 'regions', value: [square], maxRegions: 4 },
      ],
    });
    const other: [number, number][] = [
      [0.6, 0.6],
      [0.9, 0.6],
      [0.9, 0.9],
    ];
    const regions = [other, square, square];
    expect(await features.write('privacyMask', here, { regions, enabled: true })).toMatchObject({
      value: { notKept: [] },
    });
    expect(documents.get(`${INPUT}/privacyMask/regions`)).toContain(
      `<id>1</id><enabled>true</enabled><maskType>gray</maskType>${corners([600, 400], [900, 400], [900, 100])}`,
    );
    expect(documents.get(`${INPUT}/privacyMask/regions`)).toContain('<id>3</id><enabled>true</enabled><RegionCo');
    expect(await features.write('privacyMask', here, { regions: [] })).toMatchObject({ value: { notKept: [] } });
    expect(documents.get(`${INPUT}/privacyMask/regions`)).toBe(masks());
  });

  it('is switched on and off as an action, read back, and only where one is drawn (LINK-32)', async () => {
    documents.set(`${INPUT}/privacyMask`, MASK);
    documents.set(`${INPUT}/privacyMask/regions`, masks());
    const { features } = await at();
    expect(await features.act({ action: 'privacyMaskOn', channel: 1 })).toMatchObject({ ok: false, code: 'conflict' });
    const drawn = mask(1, [0, 1000], [500, 1000], [500, 500]);
    documents.set(`${INPUT}/privacyMask`, MASK.replace('</PrivacyMask>', `${masks(drawn)}</PrivacyMask>`));
    expect(await features.act({ action: 'privacyMaskOn', channel: 1 })).toMatchObject({ ok: true });
    expect(documents.get(`${INPUT}/privacyMask`)).toContain('<enabled>true</enabled><normalizedScreenSize>');
    documents.set(`${INPUT}/privacyMask`, documents.get(`${INPUT}/privacyMask`), () => null);
    expect(await features.act({ action: 'privacyMaskOff', channel: 1 })).toMatchObject({ ok: false });
    expect((await features.capabilities()).resources).toMatchObject([
      { kind: 'camera', id: '1', actions: ['privacyMaskOn', 'privacyMaskOff'] },
    ]);
  });
});
