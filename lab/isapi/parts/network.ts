import { isIP } from 'node:net';
import type { MakePart } from '../../devices/device.ts';
import { setText, textOf } from '../xml.ts';

/** Address, DNS, DDNS, Hik-Connect, integration protocols, discovery mode (isapi §6; sadp §10). */
export const network: MakePart = (device) => {
  const { documents, profile: p } = device;
  const ns = p.odd.namespace;
  const isFalse = (text: string | null) => text !== 'true';
  documents.add(
    '/System/Network/interfaces/1',
    `<NetworkInterface version="2.0" xmlns="${ns}">
<id>1</id>
<IPAddress version="2.0" xmlns="${ns}">
<ipVersion>dual</ipVersion>
<addressingType>${p.dhcp ? 'dynamic' : 'static'}</addressingType>
<ipAddress>${p.address}</ipAddress>
<subnetMask>${p.mask}</subnetMask>
<ipv6Address>::</ipv6Address>
<bitMask>0</bitMask>
<DefaultGateway><ipAddress>${p.gateway}</ipAddress><ipv6Address>::</ipv6Address></DefaultGateway>
<PrimaryDNS><ipAddress>8.8.8.8</ipAddress></PrimaryDNS>
<SecondaryDNS><ipAddress>8.8.4.4</ipAddress></SecondaryDNS>
<Ipv6Mode><ipV6AddressingType>ra</ipV6AddressingType></Ipv6Mode>
</IPAddress>
<Link><MACAddress>${p.mac.replaceAll('-', ':')}</MACAddress><autoNegotiation>true</autoNegotiation><speed>100</speed><duplex>full</duplex><MTU>1500</MTU></Link>
<Discovery><UPnP><enabled>true</enabled></UPnP><zeroconf><enabled>true</enabled></zeroconf></Discovery>
</NetworkInterface>`,
    {
      fixed: ['id', 'Link/MACAddress'],
      reboot: p.odd.errorsWith200,
      values: { 'IPAddress/addressingType': ['static', 'dynamic', 'apipa'] },
      check: (wanted) => {
        for (const leaf of ['ipAddress', 'subnetMask', 'DefaultGateway/ipAddress', 'PrimaryDNS/ipAddress'])
          if (isIP(textOf(wanted, `IPAddress/${leaf}`) ?? '') !== 4) return 'badIPv4Address';
        const address = textOf(wanted, 'IPAddress/ipAddress')!;
        if (address === p.address) return null;
        return device.neighbour(address) ? 'conflictIPv4Address' : null;
      },
      written: (is) => {
        const text = (leaf: string) => textOf(is, `IPAddress/${leaf}`)!;
        const dhcp = text('addressingType') === 'dynamic';
        // A lease is the address that it has already.
        const address = dhcp ? {} : { address: text('ipAddress') };
        device.moveTo({ ...address, mask: text('subnetMask'), gateway: text('DefaultGateway/ipAddress'), dhcp });
      },
      live: {
        'IPAddress/ipAddress': () => p.address,
        'IPAddress/subnetMask': () => p.mask,
        'IPAddress/DefaultGateway/ipAddress': () => p.gateway,
        'IPAddress/addressingType': () => (p.dhcp ? 'dynamic' : 'static'),
      },
    },
  );
  documents.list('/System/Network/interfaces', `<NetworkInterfaceList version="2.0" xmlns="${ns}"/>`, () => [
    '/System/Network/interfaces/1',
  ]);
  documents.part('/System/Network/interfaces/1/ipAddress', '/System/Network/interfaces/1', 'IPAddress');
  documents.part('/System/Network/interfaces/1/link', '/System/Network/interfaces/1', 'Link');
  documents.part('/System/Network/interfaces/1/discovery', '/System/Network/interfaces/1', 'Discovery');

  let code = '';
  let registeredAt = 0;
  documents.add(
    '/System/Network/EZVIZ',
    `<EZVIZ version="2.0" xmlns="${ns}">
<enabled>false</enabled>
<registerStatus>false</registerStatus>
<redirect>false</redirect>
<serverAddress><addressingFormatType>hostname</addressingFormatType><hostName>litedev.hik-connect.com</hostName></serverAddress>
<verificationCode></verificationCode>
<bindStatus>${p.kind === 'doorbell' ? 'bind' : 'unbind'}</bindStatus>
<streamEncrypteEnabled>true</streamEncrypteEnabled>
</EZVIZ>`,
    {
      missing: 'keep',
      required: ['enabled'],
      fixed: ['registerStatus', 'bindStatus'],
      optional: ['verificationCode'],
      values: { enabled: ['true', 'false'] },
      check: (wanted) => {
        const given = textOf(wanted, 'verificationCode');
        if (given && !/^[A-Za-z0-9]{6,12}$/.test(given)) return 'badParameters';
        return isFalse(textOf(wanted, 'enabled')) || given || code ? null : 'MessageParametersLack';
      },
      written: (is, was) => {
        code = textOf(is, 'verificationCode') || code;
        if (isFalse(textOf(was, 'enabled')) && !isFalse(textOf(is, 'enabled'))) registeredAt = Date.now() + 1500;
      },
      live: {
        verificationCode: () => '',
        registerStatus: () => {
          const on = !isFalse(textOf(documents.at('/System/Network/EZVIZ')!, 'enabled'));
          return String(on && Date.now() >= registeredAt);
        },
      },
    },
  );
  documents.add(
    '/System/Network/EZVIZ/capabilities',
    `<EZVIZ version="2.0" xmlns="${ns}"><enabled opt="true,false"/><verificationCode min="6" max="12"/><redirect opt="true,false"/></EZVIZ>`,
    { readOnly: true },
  );
  documents.add(
    '/System/Network/DDNS/1',
    `<DDNS version="2.0" xmlns="${ns}"><id>1</id><enabled>false</enabled><provider>DynDNS</provider><serverAddress><addressingFormatType>hostname</addressingFormatType><hostName>members.dyndns.org</hostName></serverAddress><portNo>0</portNo><deviceDomainName></deviceDomainName><userName></userName><password></password></DDNS>`,
    {
      fixed: ['id'],
      writeOnly: ['password'],
      values: { provider: ['DynDNS', 'NO-IP', 'IPServer', 'HiDDNS'], enabled: ['true', 'false'] },
    },
  );
  documents.list('/System/Network/DDNS', `<DDNSList version="2.0" xmlns="${ns}"/>`, () => ['/System/Network/DDNS/1']);
  documents.add(
    '/System/Network/Integrate',
    `<Integrate version="2.0" xmlns="${ns}"><CGI><enable>true</enable><certificateType>digest</certificateType></CGI><ONVIF><enable>${p.odd.onvif}</enable><certificateType>digest</certificateType></ONVIF><ISAPI><enable>true</enable></ISAPI></Integrate>`,
    {
      // What shipped clients send has ONVIF alone.
      missing: 'keep',
      values: { 'ONVIF/enable': ['true', 'false'], 'ONVIF/certificateType': ['digest', 'wsse', 'digest/wsse'] },
      written: (is) => {
        p.odd = { ...p.odd, onvif: textOf(is, 'ONVIF/enable') === 'true' };
      },
    },
  );
  documents.add(
    '/System/discoveryMode',
    `<DiscoveryMode version="2.0" xmlns="${ns}"><PcapMode>discoverable</PcapMode><SADP>discoverable</SADP></DiscoveryMode>`,
    { values: { SADP: ['discoverable', 'nonDiscoverable'] } },
  );
  documents.add(
    '/System/Network/UPnP',
    `<UPnP version="2.0" xmlns="${ns}"><enabled>true</enabled><name>${p.name}</name></UPnP>`,
  );
  documents.add('/System/Network/ssh', `<SSH version="2.0" xmlns="${ns}"><enabled>false</enabled></SSH>`);
  documents.add(
    '/System/Network/Ehome',
    `<Ehome version="2.0" xmlns="${ns}"><enabled>false</enabled><addressingFormatType>ipaddress</addressingFormatType><ipAddress>0.0.0.0</ipAddress><portNo>0</portNo><deviceID></deviceID><registerStatus>false</registerStatus><protocolVersion>v5.0</protocolVersion></Ehome>`,
    // A port of 0 can be read and not written back.
    { fixed: ['registerStatus'], values: { portNo: [1, 65535] }, optional: ['hostName', 'ipAddress'] },
  );

  return {
    state: () => ({ verificationCode: code, p2pEnabled: textOf(documents.at('/System/Network/EZVIZ')!, 'enabled') }),
    control: {
      bind: (body) => {
        setText(documents.at('/System/Network/EZVIZ')!, 'bindStatus', body.bound ? 'bind' : 'unbind');
        return { bound: Boolean(body.bound) };
      },
    },
  };
};
