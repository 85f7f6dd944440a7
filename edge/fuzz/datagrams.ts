import { isIPv4 } from 'node:net';
import { ManualClock } from '../../protocol/clock.ts';
import { DiscoveredDevice } from '../../protocol/wire/box-api.ts';
import { Inventory, UNTOLD } from '../discovery/inventory.ts';
import { mdnsQuery, readMdns } from '../discovery/mdns.ts';
import { readDatagram } from '../discovery/sadp.ts';
import { readReasons, readReply, readState } from '../discovery/sadp-command.ts';
import { readDescription, readSsdp, ssdpSearch } from '../discovery/ssdp.ts';
import { probes, readWsd } from '../discovery/ws-discovery.ts';
import { must, type Target } from './fuzz.ts';
import { mutate } from './mutate.ts';

const SOURCE = '10.7.0.77';
const MAC = /^([0-9a-f]{2}-){5}[0-9a-f]{2}$/;
const UUID = '13A888A9-F1B1-4020-AE9F-05607682D23B';

const MATCH = `<?xml version="1.0" encoding="UTF-8"?><ProbeMatch><Uuid>${UUID}</Uuid><Types>inquiry</Types><DeviceType>1</DeviceType><DeviceDescription>DS-2CD2385G1-I</DeviceDescription><DeviceSN>DS-2CD2385G1-I20200414AAWRE33842150</DeviceSN><CommandPort>8000</CommandPort><HttpPort>80</HttpPort><MAC>44-19-b6-01-02-03</MAC><IPv4Address>192.168.1.64</IPv4Address><IPv4SubnetMask>255.255.255.0</IPv4SubnetMask><IPv4Gateway>192.168.1.1</IPv4Gateway><IPv6Address>::</IPv6Address><DHCP>flase</DHCP><SoftwareVersion>V5.6.2build 190701</SoftwareVersion><BootTime>1970-01-15 00:00:00</BootTime><Encrypt>true</Encrypt><Salt>9bb2be4e49c225d4e57e659ecb97214a1ba295f2f7bec69bba7df83c55cc5e18</Salt><Activated>false</Activated><DeviceLock>flase</DeviceLock></ProbeMatch>`;
const REPLY = `<ProbeMatch><Uuid>${UUID}</Uuid><MAC>44-19-b6-01-02-03</MAC><Types>activate </Types><Result>failed</Result><retryTimes>4</retryTimes></ProbeMatch>`;
const WSD = (kind: string) =>
  `<?xml version="1.0"?>\n<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><s:Header><a:RelatesTo>uuid:${UUID}</a:RelatesTo></s:Header><s:Body>${kind === 'ProbeMatch' ? '<d:ProbeMatches>' : ''}<d:${kind}><a:EndpointReference><a:Address>\n urn:uuid:9e1c7a40-0f6e-11b3-81d0-4c11ae000008 </a:Address></a:EndpointReference><d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>onvif://www.onvif.org/hardware/Turret%204K onvif://www.onvif.org/MAC/4C:11:AE:00:00:07</d:Scopes><d:XAddrs>http://10.7.0.77:8090/onvif/device_service http://169.254.3.4/x</d:XAddrs></d:${kind}>${kind === 'ProbeMatch' ? '</d:ProbeMatches>' : ''}</s:Body></s:Envelope>`;
const SSDP = (first: string, nts: string) =>
  `${first}\r\nHOST: 239.255.255.250:1900\r\nCACHE-CONTROL: max-age=1800\r\n${nts}LOCATION: http://${SOURCE}:49152/upnpdevicedesc.xml\r\nUSN: uuid:4d454930-0000-1000-8001-4419b6010203::upnp:rootdevice\r\n\r\n`;
const DESCRIPTION = `<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device><friendlyName>HIKVISION DS-2CD2032-I</friendlyName><manufacturer>HIKVISION</manufacturer><modelName>DS-2CD2032-I</modelName><serialNumber>DS-2CD2032-I20140101CCWR428356777</serialNumber><UDN>uuid:4d454930-0000-1000-8001-4419b6010203</UDN><presentationURL>http://${SOURCE}:85/</presentationURL></device></root>`;

/** An announcement with all four kinds of records, and names that point back. */
const MDNS = Buffer.concat([
  Buffer.from([0, 0, 0x84, 0, 0, 0, 0, 4, 0, 0, 0, 0]),
  Buffer.from('\x05_http\x04_tcp\x05local\0', 'latin1'),
  Buffer.from([0, 12, 0, 1, 0, 0, 0, 120, 0, 39]),
  Buffer.from('\x24HIKVISION DS-2CD2385G1-I - 733050127', 'latin1'),
  Buffer.from([0xc0, 12, 0xc0, 40, 0, 33, 0, 1, 0, 0, 0, 120, 0, 12, 0, 0, 0, 0, 0, 80]),
  Buffer.from('\x03ipc\xc0\x17', 'latin1'),
  Buffer.from([0xc0, 40, 0, 16, 0, 1, 0, 0, 0, 120, 0, 24]),
  Buffer.from('\x17macaddress=4419b6010203', 'latin1'),
  Buffer.from([0xc0, 103, 0, 1, 0, 1, 0, 0, 0, 120, 0, 4, 10, 7, 0, 77]),
]);

const xml = [MATCH, REPLY, WSD('ProbeMatch'), WSD('Hello'), WSD('Bye'), DESCRIPTION].map((text) => Buffer.from(text));
const all = [...xml, MDNS, mdnsQuery(), ssdpSearch(), ...probes(() => UUID)];

/** What the whole search would keep; a fault in a name must not reach the page. */
const clock = new ManualClock();
const inventory = new Inventory({ clock, max: 200 });
function keep(protocol: 'sadp' | 'onvif' | 'mdns' | 'ssdp', told: Parameters<Inventory['seen']>[1], id: string | null) {
  inventory.seen(protocol, told, { id });
  const [last] = inventory.list((d) => (told.mac ? d.mac === told.mac : d.serial === told.serial)).slice(-1);
  if (last) must(DiscoveredDevice.safeParse(last).success, 'a device is listed that the relay would not take');
  if (inventory.refused > 0) {
    // Full: as after 45 s of silence.
    inventory.forgetSilent(0);
    inventory.refused = 0;
  }
}

export const DATAGRAMS: Target[] = [
  {
    name: 'SADP',
    share: 20,
    run(dice, input) {
      const bytes = mutate(dice.of([xml[0]!, xml[0]!, xml[1]!]), dice, all);
      input(bytes);
      const found = readDatagram(bytes, SOURCE);
      for (const type of ['activate', 'exchangecode']) {
        const reply = readReply(bytes, UUID, '44-19-b6-01-02-03', type);
        if (reply) must(readReasons(reply.node).triesLeft !== -1, 'a number of tries that is none');
      }
      readState(bytes, '44-19-b6-01-02-03', SOURCE);
      if (typeof found !== 'object') return;
      must(MAC.test(found.mac) && isIPv4(found.address), 'an identity that is none');
      keep('sadp', found, null);
    },
  },
  {
    name: 'WS-Discovery',
    share: 15,
    run(dice, input) {
      const bytes = mutate(dice.of([xml[2]!, xml[2]!, xml[3]!, xml[4]!]), dice, all);
      input(bytes);
      const read = readWsd(bytes, SOURCE);
      if (typeof read !== 'object') return;
      if ('gone' in read) return void inventory.left('onvif', read.gone);
      for (const { uuid, ...device } of read.found) {
        must(device.address === SOURCE, 'an address that nobody sent from');
        keep('onvif', { ...UNTOLD, ...device }, uuid);
      }
    },
  },
  {
    name: 'mDNS',
    share: 15,
    run(dice, input) {
      const bytes = mutate(MDNS, dice, all);
      input(bytes);
      const read = readMdns(bytes, SOURCE);
      if (typeof read !== 'object') return;
      must(read.found.length <= 16 && read.gone.length <= 16, 'more devices than one datagram may name');
      for (const { instance, ...device } of read.found)
        keep('mdns', { ...UNTOLD, ...device, address: SOURCE }, instance);
    },
  },
  {
    name: 'SSDP',
    share: 10,
    run(dice, input) {
      const first = dice.of(['HTTP/1.1 200 OK', 'NOTIFY * HTTP/1.1']);
      const nts = dice.of(['', 'NTS: ssdp:alive\r\n', 'NTS: ssdp:byebye\r\n']);
      const bytes = dice.below(4) ? mutate(Buffer.from(SSDP(first, nts)), dice, all) : mutate(xml[5]!, dice, all);
      input(bytes);
      const read = readSsdp(bytes, SOURCE);
      if (typeof read === 'object' && 'described' in read) {
        const { port, path } = read.described;
        must(port > 0 && port < 65_536 && path.startsWith('/') && !/[\r\n ]/.test(path), 'a way that is none');
      }
      const device = readDescription(bytes, SOURCE, 80);
      if (device) keep('ssdp', { ...UNTOLD, ...device, address: SOURCE }, 'uuid');
    },
  },
];
