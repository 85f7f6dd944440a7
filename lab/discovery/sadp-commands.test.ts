import { constants, createCipheriv, generateKeyPairSync, privateDecrypt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseDevices } from '../devices/spec.ts';
import { get } from '../testing/digest-client.ts';
import { startLab, type TestLab } from '../testing/start-lab.ts';
import { passwordField } from './sadp-secrets.ts';

const GROUP = '239.255.255.250';
let lab: TestLab;
let socket: Socket;
let heard: string[] = [];

beforeAll(async () => {
  lab = await startLab({ devices: parseDevices('thermal:unactivated:foreign')! });
  socket = createSocket({ type: 'udp4', reuseAddr: true });
  socket.on('message', (bytes) => heard.push(bytes.toString()));
  socket.bind({ address: '0.0.0.0', port: lab.ready.sadpPort });
  await once(socket, 'listening');
  socket.addMembership(GROUP, '127.0.0.1');
  socket.setMulticastInterface('127.0.0.1');
});
afterAll(async () => {
  socket.close();
  await lab.stop();
});

const leaf = (xml: string | undefined, name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml ?? '')?.[1];
const device = (name: string) => lab.ready.devices.find((d) => d.name === name)!;

async function command(name: string, types: string, more = '', waitMs = 150) {
  heard = [];
  const { mac } = device(name);
  socket.send(
    `<Probe><Uuid>X</Uuid><MAC>${mac}</MAC><Types>${types}</Types>${more}</Probe>`,
    lab.ready.sadpPort,
    GROUP,
  );
  await new Promise((resolve) => setTimeout(resolve, waitMs));
  return heard.find((text) => text.includes('<ProbeMatch>') && leaf(text, 'Types') === types);
}

async function activate(name: string, password: string) {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const code = publicKey.export({ type: 'pkcs1', format: 'der' }).toString('base64');
  const sealed = Buffer.from(leaf(await command(name, 'exchangecode', `<Code>${code}</Code>`), 'Code')!, 'base64');
  const padded = privateDecrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, sealed);
  const random = padded.subarray(padded.indexOf(0, 10) + 1).toString();
  const cipher = createCipheriv('aes-128-ecb', random.slice(0, 16), null).setAutoPadding(false);
  const plain = Buffer.from(random.slice(0, 16) + password);
  const text = Buffer.concat([plain, Buffer.alloc((16 - (plain.length % 16)) % 16)]);
  const field = Buffer.concat([cipher.update(text), cipher.final()]).toString('base64');
  return leaf(await command(name, 'activate', `<Password>${field}</Password>`), 'Result');
}

const network = (address: string, password: string) =>
  `${password}<IPv4Address>${address}</IPv4Address><CommandPort>8000</CommandPort><IPv4SubnetMask>255.0.0.0</IPv4SubnetMask><IPv4Gateway>127.0.0.1</IPv4Gateway><DHCP>false</DHCP><HttpPort>80</HttpPort>`;

it('activates a device in a foreign subnet and brings it home, with the password that its salt wants', async () => {
  expect(device('thermal').address).toBe('192.168.1.64');
  expect(await activate('thermal', 'short')).toBe('failed');
  expect(await activate('thermal', 'Thermal-cam-1')).toBe('success');
  expect(await activate('thermal', 'Thermal-cam-2')).toBe('failed');
  const salt = leaf(await command('thermal', 'inquiry'), 'Salt')!;
  const home = device('camera-1').address.replace(/\d+$/, '99');
  const password = passwordField('Thermal-cam-1', 'salt', salt);
  expect(leaf(await command('thermal', 'update', network(home, '')), 'Result')).toBe('denied');
  const wrong = `<Password bSalt="true">${passwordField('Wrong-one-1', 'salt', salt)}</Password>`;
  expect(leaf(await command('thermal', 'update', network(home, wrong)), 'Result')).toBe('denied');
  expect((await lab.get('/devices/thermal')).body.failedLogins).toBe(1);
  const right = `<Password bSalt="true">${password}</Password>`;
  expect(leaf(await command('thermal', 'update', network(home, right), 400), 'Result')).toBe('success');
  expect(leaf(await command('thermal', 'inquiry'), 'IPv4Address')).toBe(home);
  const { address, httpPort } = (await lab.get('/devices/thermal')).body;
  const target = { address, httpPort, username: 'admin', password: 'Thermal-cam-1' };
  expect((await get(target, '/ISAPI/System/deviceInfo')).status).toBe(200);
});

it('old firmware wants the MD5 of its password, as documented', async () => {
  expect(passwordField('password', 'md5', '')).toBe('X03MO1qnZdYdgyfeuILPmQ==');
  const { address, password } = device('camera-2');
  const field = `<Password>${passwordField(password, 'md5', '')}</Password>`;
  expect(leaf(await command('camera-2', 'update', network(address, field)), 'Result')).toBe('success');
});

it('a conflict is two devices with one address; a device without power says nothing', async () => {
  await lab.post('/devices/camera-2/address', { address: device('camera-1').address });
  await new Promise((resolve) => setTimeout(resolve, 250));
  const both = [await command('camera-1', 'inquiry'), await command('camera-2', 'inquiry')];
  expect(both.map((text) => leaf(text, 'IPv4Address'))).toEqual([
    device('camera-1').address,
    device('camera-1').address,
  ]);
  await lab.post('/devices/camera-2/power', { on: false });
  expect(await command('camera-2', 'inquiry')).toBeUndefined();
});
