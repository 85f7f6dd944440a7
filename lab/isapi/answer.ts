import { escapeXml, XML_HEAD } from './xml.ts';

/** What a device answers. `taken`: the handler has the response and answers by itself. */
export interface Reply {
  status: number;
  body: string | Buffer;
  /** Null: this firmware's word for XML. */
  type?: string | null;
  headers?: Record<string, string | string[]>;
}

/** HTTP status, statusCode, statusString and errorCode by subStatusCode. */
const REFUSALS: Record<string, [http: number, code: number, error: number]> = {
  deviceBusy: [503, 2, 0x20000004],
  upgrading: [503, 2, 0x20000003],
  formatting: [503, 2, 0x2000000c],
  maxSessionUserLink: [503, 2, 0x4000000b],
  twoWayAudioInProgressPleaseWait: [403, 4, 0x40002068],
  deviceError: [500, 3, 0x30000001],
  diskError: [500, 3, 0x30000015],
  upgradeError: [500, 3, 0x30000019],
  notSupport: [404, 4, 0x40000001],
  lowPrivilege: [403, 4, 0x40000002],
  badAuthorization: [403, 4, 0x40000003],
  methodNotAllowed: [405, 4, 0x40000004],
  invalidOperation: [403, 4, 0x40000006],
  notActivated: [403, 4, 0x40000007],
  hasActivated: [403, 4, 0x40000008],
  loginPasswordError: [403, 4, 0x4000000c],
  fileError: [403, 4, 0x4000000f],
  invalidID: [403, 4, 0x40001008],
  ipcNumReachesLimit: [403, 4, 0x400011a3],
  ipcNetworkAbnormal: [403, 4, 0x400011ae],
  ipcPasswordError: [403, 4, 0x400011af],
  ipcIsLocking: [403, 4, 0x400011b2],
  ipcNotActivated: [403, 4, 0x400011b3],
  channelOffline: [403, 4, 0x400011b6],
  IPCIPNotUnique: [403, 4, 0x400011bc],
  armingFailed: [403, 4, 0x40008000],
  armedStatus: [403, 4, 0x4000800b],
  zoneNotSupport: [403, 4, 0x4000800d],
  zoneFault: [403, 4, 0x4000800e],
  subSystemNotEnabled: [403, 4, 0x40008026],
  alarmingCannotBeArmed: [403, 4, 0x4000804f],
  badXmlFormat: [400, 5, 0x50000001],
  badJsonFormat: [400, 5, 0x50000002],
  badParameters: [400, 6, 0x60000001],
  badXmlContent: [400, 6, 0x60000003],
  badIPv4Address: [400, 6, 0x60000004],
  conflictIPv4Address: [400, 6, 0x60000006],
  badPort: [400, 6, 0x6000000b],
  badVersion: [400, 6, 0x6000000f],
  badDevType: [400, 6, 0x60000010],
  badLanguage: [400, 6, 0x60000011],
  incorrentUserNameOrPassword: [400, 6, 0x60000012],
  badJsonContent: [400, 6, 0x60000017],
  MessageParametersLack: [400, 6, 0x60000019],
  userPwdLenUnder8: [400, 6, 0x60000022],
  userPwdNameSame: [400, 6, 0x60000023],
  passwordLenNoMoreThan16: [400, 6, 0x6000005f],
  riskPassword: [400, 6, 0x10000002],
};
const WORDS: Record<number, string> = {
  1: 'OK',
  2: 'Device Busy',
  3: 'Device Error',
  4: 'Invalid Operation',
  5: 'Invalid XML Format',
  6: 'Invalid XML Content',
  7: 'Reboot Required',
};

export interface Said {
  http: number;
  code: number;
  text: string;
  sub: string;
  error: number;
}

export function refusal(sub: string): Said {
  const [http, code, error] = REFUSALS[sub] ?? [403, 4, 0x40000006];
  return { http, code, text: WORDS[code]!, sub, error };
}
export const OK: Said = { http: 200, code: 1, text: 'OK', sub: 'ok', error: 1 };
export const REBOOT_REQUIRED: Said = { http: 200, code: 7, text: WORDS[7]!, sub: 'rebootRequired', error: 0x70000001 };

/** ResponseStatus (isapi §2). Old firmware has no errorCode. */
export function statusXml(url: string, said: Said, more = '', withError = false): string {
  const error = withError ? `<errorCode>${said.error}</errorCode>\n<errorMsg>${said.sub}</errorMsg>\n` : '';
  return `${XML_HEAD}<ResponseStatus version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema">
<requestURL>${escapeXml(url)}</requestURL>
<statusCode>${said.code}</statusCode>
<statusString>${said.text}</statusString>
<subStatusCode>${said.sub}</subStatusCode>
${error}${more}</ResponseStatus>
`;
}

export function statusJson(url: string, said: Said, more: object = {}): string {
  return JSON.stringify({
    requestURL: url,
    statusCode: said.code,
    statusString: said.text,
    subStatusCode: said.sub,
    errorCode: said.error,
    errorMsg: said.sub,
    ...more,
  });
}
