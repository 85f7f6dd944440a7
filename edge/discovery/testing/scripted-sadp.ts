import { constants, createDecipheriv, createPublicKey, publicEncrypt } from 'node:crypto';
import type { SadpChannel } from '../sadp-commander.ts';

/** A device on a wire of its own that answers SADP as documented; for tests. */
export class ScriptedSadp implements SadpChannel {
  readonly heard: { type: string; xml: string }[] = [];
  fields: Record<string, string> = {
    DeviceDescription: 'DS-2CD2385G1-I',
    DeviceSN: 'DS-2CD2385G1-I20200414AAWRE33842150',
    CommandPort: '8000',
    HttpPort: '80',
    MAC: '68-6D-BC-EE-F8-F0',
    IPv4Address: '192.168.1.64',
    IPv4SubnetMask: '255.255.255.0',
    IPv4Gateway: '192.168.1.1',
    IPv6Address: '::',
    IPv6Gateway: '::',
    IPv6MaskLen: '64',
    DHCP: 'flase',
    SoftwareVersion: 'V5.6.2build 190701',
    Activated: 'true',
    DeviceLock: 'flase',
    SDKOverTLSPort: '8443',
  };
  /** The one `<Password …>` element that it takes. */
  passwordElement = '';
  password: string | null = null;
  triesLeft = 5;
  /** Commands whose answer gets lost on the way. */
  lose = new Set<string>();
  /** Sent in front of each answer: what other devices and other tools say at that time. */
  noise: string[] = [];
  random = 'k3Yw9QzT7bVn2LxR5cHd8JmP';
  /** Somebody who answers first, in this device's name. */
  imposter: ScriptedSadp | null = null;

  async request<T>(datagram: Buffer, read: (reply: Buffer, source: string) => T | null): Promise<T | null> {
    const xml = datagram.toString();
    const type = this.#field(xml, 'Types');
    this.heard.push({ type, xml });
    const misled = await this.imposter?.request(datagram, read);
    if (misled) return misled;
    for (const noise of this.noise) if (read(Buffer.from(noise), '192.168.1.99') !== null) throw new Error('misled');
    if (this.#field(xml, 'MAC') !== this.fields.MAC!.toLowerCase()) return null;
    const reply = this.#act(type, xml);
    return this.lose.has(type) ? null : read(Buffer.from(reply), '192.168.1.64');
  }

  count(type: string): number {
    return this.heard.filter((h) => h.type === type).length;
  }

  #act(type: string, xml: string): string {
    if (type === 'inquiry')
      return this.#match(
        xml,
        Object.entries(this.fields)
          .map(([n, v]) => `<${n}>${v}</${n}>`)
          .join(''),
      );
    if (type === 'exchangecode') {
      const key = createPublicKey({
        key: Buffer.from(this.#field(xml, 'Code'), 'base64'),
        format: 'der',
        type: 'pkcs1',
      });
      const code = publicEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, Buffer.from(this.random));
      return this.#match(xml, `<Result>success</Result><Code>${code.toString('base64')}</Code>`);
    }
    if (type === 'activate') {
      const [first, password] = this.#open(this.#field(xml, 'Password'));
      if (first !== this.random.slice(0, 16)) return this.#match(xml, '<Result>failed</Result>');
      this.password = password;
      this.fields.Activated = 'true';
      return this.#match(xml, '<Result>success</Result>').replace('<Types>activate<', '<Types>activate <');
    }
    if (type === 'AnswerReset') {
      if (!xml.includes('<ID>2</ID><Answer>Rex &amp; Max</Answer><mark>true</mark>'))
        return this.#match(xml, `<Result>failed</Result><retryTimes>${--this.triesLeft}</retryTimes>`);
      this.password = this.#open(this.#field(xml, 'Password'))[1];
      return this.#match(xml, '<Result>success</Result>');
    }
    if (!xml.includes(this.passwordElement)) {
      return this.#match(xml, `<Result>failed</Result><retryTimes>${--this.triesLeft}</retryTimes>`);
    }
    if (type === 'update') {
      for (const name of ['IPv4Address', 'IPv4SubnetMask', 'IPv4Gateway', 'DHCP', 'HttpPort'])
        this.fields[name] = this.#field(xml, name);
    }
    return this.#match(xml, '<Result>success</Result>');
  }

  #open(base64: string): [string, string] {
    const cipher = createDecipheriv('aes-128-ecb', this.random.slice(0, 16), null).setAutoPadding(false);
    const plain = Buffer.concat([cipher.update(Buffer.from(base64, 'base64')), cipher.final()]).toString();
    return [plain.slice(0, 16), plain.slice(16).replace(/\0+$/, '')];
  }

  #match(xml: string, body: string): string {
    const mac = body.includes('<MAC>') ? '' : `<MAC>${this.fields.MAC}</MAC>`;
    const head = `<Uuid>${this.#field(xml, 'Uuid')}</Uuid>${mac}<Types>${this.#field(xml, 'Types')}</Types>`;
    return `<?xml version="1.0" encoding="UTF-8"?>\n<ProbeMatch>${head}${body}</ProbeMatch>\n`;
  }

  #field(xml: string, name: string): string {
    return new RegExp(`<${name}(?: [^>]*)?>([^<]*)</${name}>`).exec(xml)?.[1] ?? '';
  }
}
