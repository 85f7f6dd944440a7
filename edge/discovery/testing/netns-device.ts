import { constants, createDecipheriv, createPublicKey, publicEncrypt, randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { ScriptedSadp } from './scripted-sadp.ts';

/*
 * A device from the factory in a network namespace of its own: SADP on the group, activation by ISAPI and by SADP. Argument:
 * {mac, address, serial, names?: 'mdns' | 'ssdp', http?: false}. Prints `activated WAY PASSWORD`; takes `address A` when its
 * address was changed.
 */
const GROUP = '239.255.255.250';
const options = JSON.parse(process.argv[2]!) as {
  mac: string;
  address: string;
  serial: string;
  names?: boolean;
  http?: boolean;
};
const sadp = new ScriptedSadp();
Object.assign(sadp.fields, {
  MAC: options.mac,
  DeviceSN: options.serial,
  IPv4Address: options.address,
  SoftwareVersion: 'V5.7.1build 230412',
  Activated: 'false',
});
let said = false;
const activated = (way: string, password: string) => {
  sadp.fields.Activated = 'true';
  if (!said) process.stdout.write(`activated ${way} ${password}\n`);
  said = true;
};

let sockets: Socket[] = [];
function open(group: string, port: number, hear: (datagram: Buffer, answer: (reply: Buffer) => void) => void) {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  socket.bind(port, () => {
    socket.addMembership(group, options.address);
    socket.setMulticastInterface(options.address);
  });
  // In a foreign subnet there is no way back but the group.
  socket.on('message', (datagram) => hear(datagram, (reply) => socket.send(reply, port, group, () => {})));
  sockets.push(socket);
}

function listen(): void {
  for (const socket of sockets) socket.close();
  sockets = [];
  open(GROUP, 37020, (datagram, answer) => {
    const xml = datagram.toString();
    if (!xml.includes('<Probe>')) return;
    const asked = xml.includes('<MAC>') ? xml : xml.replace('</Uuid>', `</Uuid><MAC>${options.mac}</MAC>`);
    void sadp.request(Buffer.from(asked), (reply) => {
      answer(reply);
      return true;
    });
    if (sadp.password !== null) activated('sadp', sadp.password);
  });
  if (!options.names) return;
  open('224.0.0.251', 5353, (datagram, answer) => {
    if ((datagram[2]! & 0x80) === 0) answer(bonjour());
  });
  open(GROUP, 1900, (datagram, answer) => {
    if (!datagram.toString().startsWith('M-SEARCH')) return;
    const location = `http://${options.address}:80/upnpdevicedesc.xml`;
    answer(
      Buffer.from(
        `NOTIFY * HTTP/1.1\r\nHOST: ${GROUP}:1900\r\nNTS: ssdp:alive\r\nLOCATION: ${location}\r\nUSN: uuid:netns-1::upnp:rootdevice\r\n\r\n`,
      ),
    );
  });
}

/** A name of `_http._tcp.local` that ends in the short serial; no MAC. */
function bonjour(): Buffer {
  const name = (...labels: string[]) =>
    Buffer.concat([...labels.flatMap((l) => [Buffer.from([l.length]), Buffer.from(l)]), Buffer.from([0])]);
  const data = name(`HIKVISION DS-2CD2385G1-I - ${options.serial.slice(-9)}`, '_http', '_tcp', 'local');
  const head = Buffer.from([0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
  return Buffer.concat([
    ...[head, name('_http', '_tcp', 'local'), Buffer.from([0, 12, 0, 1, 0, 0, 0, 120, 0, data.length]), data],
  ]);
}

let random: Buffer | null = null;
const server = createServer(async (req, res) => {
  const body = await text(req);
  const say = (xml: string, status = 200) => res.writeHead(status, { 'content-type': 'application/xml' }).end(xml);
  if (req.url === '/upnpdevicedesc.xml') {
    return say(
      `<root xmlns="urn:schemas-upnp-org:device-1-0"><device><manufacturer>HIKVISION</manufacturer><modelName>DS-2CD2385G1-I</modelName><serialNumber>${options.serial}</serialNumber><UDN>uuid:netns-1</UDN></device></root>`,
    );
  }
  if (req.url === '/SDK/activateStatus')
    return say(`<ActivateStatus><Activated>${sadp.fields.Activated}</Activated></ActivateStatus>`);
  if (req.url === '/ISAPI/Security/challenge') {
    const modulus = Buffer.from(/<key>(.*)<\/key>/.exec(body)![1]!, 'base64').toString();
    const n = Buffer.from(modulus, 'hex').toString('base64url');
    const key = createPublicKey({ key: { kty: 'RSA', n, e: 'AQAB' }, format: 'jwk' });
    random = randomBytes(16);
    const sealed = publicEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, Buffer.from(random.toString('hex')));
    return say(`<Challenge><key>${Buffer.from(sealed.toString('hex')).toString('base64')}</key></Challenge>`);
  }
  if (req.url !== '/ISAPI/System/activate' || !random) return say('<ResponseStatus/>', 404);
  const hex = Buffer.from(/<password>(.*)<\/password>/.exec(body)![1]!, 'base64').toString();
  const cipher = createDecipheriv('aes-128-ecb', random, null).setAutoPadding(false);
  const plain = Buffer.concat([cipher.update(hex, 'hex'), cipher.final()]);
  activated('isapi', plain.toString('latin1').slice(16).replace(/\0+$/, ''));
  say(
    '<ResponseStatus><statusCode>1</statusCode><statusString>OK</statusString><subStatusCode>ok</subStatusCode></ResponseStatus>',
  );
});
if (options.http !== false) server.listen(80, '0.0.0.0');

createInterface({ input: process.stdin }).on('line', (line) => {
  options.address = line.split(' ')[1]!;
  sadp.fields.IPv4Address = options.address;
  listen();
});
listen();
