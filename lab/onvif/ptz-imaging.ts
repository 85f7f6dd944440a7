import { escapeXml, find, textOf, type XmlNode } from '../isapi/xml.ts';
import type { OnvifContext, Operation } from './device-service.ts';
import { duration, Fault } from './soap.ts';

const vector = (n: XmlNode | null, leaf: string) => {
  const at = n && find(n, leaf);
  return at ? { x: Number(at.attributes.x ?? 0), y: Number(at.attributes.y ?? 0) } : null;
};

function settle({ state }: OnvifContext): void {
  if (state.stopsAt > 0 && Date.now() >= state.stopsAt) {
    Object.assign(state.speed, { x: 0, y: 0, zoom: 0 });
    state.stopsAt = 0;
  }
}

const position = (p: { x: number; y: number; zoom: number }) =>
  `<tt:PanTilt x="${p.x}" y="${p.y}" space="http://www.onvif.org/ver10/tptz/PanTiltSpaces/PositionGenericSpace"/><tt:Zoom x="${p.zoom}" space="http://www.onvif.org/ver10/tptz/ZoomSpaces/PositionGenericSpace"/>`;

function preset(c: OnvifContext, asked: XmlNode) {
  const found = c.state.presets.get(textOf(asked, 'PresetToken') ?? '');
  if (!found) throw new Fault('InvalidArgVal', 'NoToken');
  return found;
}

const RANGE = '<tt:XRange><tt:Min>-1</tt:Min><tt:Max>1</tt:Max></tt:XRange>';
const SPACES = `<tt:ContinuousPanTiltVelocitySpace><tt:URI>http://www.onvif.org/ver10/tptz/PanTiltSpaces/VelocityGenericSpace</tt:URI>${RANGE}${RANGE.replaceAll('X', 'Y')}</tt:ContinuousPanTiltVelocitySpace>`;

export const ptzOperations: Record<string, Operation> = {
  GetNodes: () =>
    `<tptz:GetNodesResponse><tptz:PTZNode token="PTZNODETOKEN"><tt:Name>node</tt:Name><tt:SupportedPTZSpaces>${SPACES}</tt:SupportedPTZSpaces><tt:MaximumNumberOfPresets>300</tt:MaximumNumberOfPresets><tt:HomeSupported>true</tt:HomeSupported></tptz:PTZNode></tptz:GetNodesResponse>`,
  GetConfigurations: () =>
    '<tptz:GetConfigurationsResponse><tptz:PTZConfiguration token="PTZToken"><tt:Name>PTZ</tt:Name><tt:UseCount>2</tt:UseCount><tt:NodeToken>PTZNODETOKEN</tt:NodeToken></tptz:PTZConfiguration></tptz:GetConfigurationsResponse>',
  ContinuousMove: (c, asked) => {
    const velocity = find(asked, 'Velocity');
    const pan = vector(velocity, 'PanTilt') ?? { x: 0, y: 0 };
    const zoom = vector(velocity, 'Zoom')?.x ?? 0;
    if (![pan.x, pan.y, zoom].every((v) => v >= -1 && v <= 1)) throw new Fault('InvalidArgVal', 'InvalidVelocity');
    Object.assign(c.state.speed, { ...pan, zoom });
    const timeout = duration(textOf(asked, 'Timeout') ?? 'PT10S') ?? 10_000;
    c.state.stopsAt = Date.now() + timeout;
    return '<tptz:ContinuousMoveResponse/>';
  },
  Stop: (c) => {
    Object.assign(c.state.speed, { x: 0, y: 0, zoom: 0 });
    return '<tptz:StopResponse/>';
  },
  AbsoluteMove: (c, asked) => {
    const to = find(asked, 'Position');
    Object.assign(c.state.position, vector(to, 'PanTilt') ?? {}, {
      zoom: vector(to, 'Zoom')?.x ?? c.state.position.zoom,
    });
    return '<tptz:AbsoluteMoveResponse/>';
  },
  RelativeMove: (c, asked) => {
    const by = vector(find(asked, 'Translation'), 'PanTilt') ?? { x: 0, y: 0 };
    c.state.position.x += by.x;
    c.state.position.y += by.y;
    return '<tptz:RelativeMoveResponse/>';
  },
  GetStatus: (c) => {
    settle(c);
    const at = new Date(Date.now() + c.odd().clockAheadMs).toISOString();
    // As on most domes: it never says that it moves.
    return `<tptz:GetStatusResponse><tptz:PTZStatus><tt:Position>${position(c.state.position)}</tt:Position><tt:MoveStatus><tt:PanTilt>IDLE</tt:PanTilt><tt:Zoom>IDLE</tt:Zoom></tt:MoveStatus><tt:UtcTime>${at}</tt:UtcTime></tptz:PTZStatus></tptz:GetStatusResponse>`;
  },
  GetPresets: (c) =>
    `<tptz:GetPresetsResponse>${[...c.state.presets]
      .map(
        ([token, p]) =>
          `<tptz:Preset token="${token}"><tt:Name>${escapeXml(p.name)}</tt:Name>${p.name ? `<tt:PTZPosition>${position(p.position)}</tt:PTZPosition>` : ''}</tptz:Preset>`,
      )
      .join('')}</tptz:GetPresetsResponse>`,
  SetPreset: (c, asked) => {
    const token = textOf(asked, 'PresetToken') ?? `${c.state.presets.size + 1}`;
    c.state.presets.set(token, { name: textOf(asked, 'PresetName') ?? token, position: { ...c.state.position } });
    return `<tptz:SetPresetResponse><tptz:PresetToken>${token}</tptz:PresetToken></tptz:SetPresetResponse>`;
  },
  GotoPreset: (c, asked) => {
    Object.assign(c.state.position, preset(c, asked).position);
    return '<tptz:GotoPresetResponse/>';
  },
  RemovePreset: (c, asked) => {
    preset(c, asked);
    c.state.presets.delete(textOf(asked, 'PresetToken')!);
    return '<tptz:RemovePresetResponse/>';
  },
  GotoHomePosition: (c) => {
    Object.assign(c.state.position, { x: 0, y: 0, zoom: 0 });
    return '<tptz:GotoHomePositionResponse/>';
  },
  SetHomePosition: () => '<tptz:SetHomePositionResponse/>',
};

const LEVELS = ['Brightness', 'ColorSaturation', 'Contrast', 'Sharpness'] as const;

export const imagingOperations: Record<string, Operation> = {
  GetImagingSettings: ({ state: { imaging: i } }) =>
    `<timg:GetImagingSettingsResponse><timg:ImagingSettings><tt:Brightness>${i.Brightness}</tt:Brightness><tt:ColorSaturation>${i.ColorSaturation}</tt:ColorSaturation><tt:Contrast>${i.Contrast}</tt:Contrast><tt:IrCutFilter>${i.IrCutFilter}</tt:IrCutFilter><tt:Sharpness>${i.Sharpness}</tt:Sharpness></timg:ImagingSettings></timg:GetImagingSettingsResponse>`,
  GetOptions: () =>
    `<timg:GetOptionsResponse><timg:ImagingOptions>${LEVELS.slice(0, 3)
      .map((name) => `<tt:${name}><tt:Min>0</tt:Min><tt:Max>100</tt:Max></tt:${name}>`)
      .join(
        '',
      )}<tt:IrCutFilterModes>ON</tt:IrCutFilterModes><tt:IrCutFilterModes>OFF</tt:IrCutFilterModes><tt:IrCutFilterModes>AUTO</tt:IrCutFilterModes><tt:Sharpness><tt:Min>0</tt:Min><tt:Max>100</tt:Max></tt:Sharpness></timg:ImagingOptions></timg:GetOptionsResponse>`,
  SetImagingSettings: (c, asked) => {
    const given = find(asked, 'ImagingSettings');
    for (const name of LEVELS) {
      const text = given && textOf(given, name);
      if (text === null || text === undefined) continue;
      if (!(Number(text) >= 0 && Number(text) <= 100)) throw new Fault('InvalidArgVal', 'SettingsInvalid');
      c.state.imaging[name] = Number(text);
    }
    c.state.imaging.IrCutFilter = (given && textOf(given, 'IrCutFilter')) ?? c.state.imaging.IrCutFilter;
    return '<timg:SetImagingSettingsResponse/>';
  },
};

export { settle as settlePtz };
