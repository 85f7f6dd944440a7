import { document, judge, readRefusal, responseStatus } from '../isapi/answer.ts';
import { parseChallenges } from '../isapi/digest.ts';
import { editXml } from '../isapi/edit-xml.ts';
import { readSessionChallenge } from '../isapi/session-login.ts';
import { list, parseXml, text, type XmlNode } from '../isapi/xml.ts';
import { must, type Target } from './fuzz.ts';
import { mutate } from './mutate.ts';

const CORPUS = [
  '<?xml version="1.0" encoding="UTF-8"?>\n<DeviceInfo version="2.0" xmlns="http://www.hikvision.com/ver20/XMLSchema">\n<deviceName>IP CAMERA</deviceName>\n<deviceID>88</deviceID>\n<model>DS-2CD2385G1-I</model>\n<serialNumber>DS-2CD2385G1-I20200414AAWRE33842150</serialNumber>\n<macAddress>44:19:b6:01:02:03</macAddress>\n<firmwareVersion>V5.6.2</firmwareVersion>\n<deviceType>IPCamera</deviceType>\n</DeviceInfo>',
  '<ResponseStatus version="2.0" xmlns="http://www.std-cgi.com/ver20/XMLSchema"><requestURL>/ISAPI/x</requestURL><statusCode>4</statusCode><statusString>Invalid Operation</statusString><subStatusCode>notSupport</subStatusCode></ResponseStatus>',
  '<userCheck><statusValue>401</statusValue><statusString>Unauthorized</statusString><isDefaultPassword>false</isDefaultPassword><isRiskPassword>false</isRiskPassword><isActivated>true</isActivated><lockStatus>lock</lockStatus><unlockTime>1800</unlockTime><retryLoginTime>3</retryLoginTime></userCheck>',
  '<InputProxyChannelList version="1.0" size="0" xmlns="http://www.hikvision.com/ver20/XMLSchema"><InputProxyChannel><id>1</id><name>A &amp; B</name><sourceInputPortDescriptor><proxyProtocol>HIKVISION</proxyProtocol><ipAddress>10.7.0.3</ipAddress></sourceInputPortDescriptor></InputProxyChannel></InputProxyChannelList>',
  '<SessionLogin><sessionID>0f1e2d</sessionID><challenge>aabbccdd</challenge><iterations>100</iterations><isIrreversible>true</isIrreversible><salt>ffeeddcc</salt></SessionLogin>',
  '{"ResponseStatus":{"statusCode":6,"statusString":"Invalid Content","subStatusCode":"badParameters","list":[{"a":1},{"a":null}]}}',
].map((source) => Buffer.from(source));
const CHALLENGE = Buffer.from(
  'Digest qop="auth", realm="IP Camera(C2345)", nonce="4e444935:1f", stale="FALSE", algorithm=MD5, opaque="", Basic realm="x"',
);

/** Leaves and names are text, and nothing of it is inherited. */
function check(node: XmlNode | XmlNode[], depth = 0): void {
  must(depth <= 64, 'a tree deeper than any document');
  if (typeof node === 'string') return;
  must(node !== null && typeof node === 'object', 'a leaf that is no text');
  for (const child of Array.isArray(node) ? node : Object.values(node)) check(child, depth + 1);
}

export const DOCUMENTS: Target[] = [
  {
    name: 'ISAPI',
    share: 12,
    run(dice, input) {
      const body = mutate(dice.of(CORPUS), dice, CORPUS);
      input(body);
      const parsed = parseXml(body);
      if (parsed) check(parsed.node);
      const node = document(body, 'DeviceInfo', 'userCheck', 'InputProxyChannelList') ?? undefined;
      if (node !== undefined) check(node);
      for (const found of list(node, 'InputProxyChannel')) text(found, 'sourceInputPortDescriptor', 'ipAddress');
      text(node, '__proto__', 'constructor');
      responseStatus(body);
      const refusal = readRefusal(body);
      must(
        refusal.unlockInMs === null || (refusal.unlockInMs > 0 && refusal.unlockInMs <= 86_400_000),
        'a time that is none',
      );
      judge({ status: 200, headers: {}, body });
      readSessionChallenge(body);
      must(({} as Record<string, unknown>).polluted === undefined, 'a prototype was changed');
    },
  },
  {
    name: 'editing',
    share: 4,
    run(dice, input) {
      const source = mutate(dice.of(CORPUS.slice(0, 4)), dice, CORPUS).toString('utf8');
      input(Buffer.from(source));
      const edited = editXml(source, [{ path: ['deviceName'], value: 'a<b&c' }]);
      const before = parseXml(source);
      const after = parseXml(edited);
      if (edited === source || !before) return;
      must(after !== null, 'an edited document that cannot be read');
      must(text(after.node, 'deviceName') === 'a<b&c', 'a value that did not go in');
    },
  },
  {
    name: 'digest challenge',
    share: 4,
    run(dice, input) {
      const header = mutate(CHALLENGE, dice, [CHALLENGE, ...CORPUS], 8_192);
      input(header);
      for (const challenge of parseChallenges(['WWW-Authenticate', header.toString('latin1')]))
        must(challenge.scheme !== '' && challenge.params.size < 4_096, 'a challenge that is none');
    },
  },
];
