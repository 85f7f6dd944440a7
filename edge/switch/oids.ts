/* Addresses of what is read (SNMPv2-MIB, IF-MIB, ENTITY-MIB, BRIDGE-MIB, POWER-ETHERNET-MIB, LLDP-MIB). */

export const SYSTEM = {
  descr: '1.3.6.1.2.1.1.1.0',
  objectId: '1.3.6.1.2.1.1.2.0',
  upTime: '1.3.6.1.2.1.1.3.0',
  name: '1.3.6.1.2.1.1.5.0',
  location: '1.3.6.1.2.1.1.6.0',
  bridgeAddress: '1.3.6.1.2.1.17.1.1.0',
  lldpChassis: '1.0.8802.1.1.2.1.3.2.0',
};

export const ENTITY = {
  class: '1.3.6.1.2.1.47.1.1.1.1.5',
  firmware: '1.3.6.1.2.1.47.1.1.1.1.9',
  software: '1.3.6.1.2.1.47.1.1.1.1.10',
  serial: '1.3.6.1.2.1.47.1.1.1.1.11',
  model: '1.3.6.1.2.1.47.1.1.1.1.13',
};
export const CHASSIS = 3;

const IF = '1.3.6.1.2.1.2.2.1';
const IFX = '1.3.6.1.2.1.31.1.1.1';
export const INTERFACES = {
  descr: `${IF}.2`,
  type: `${IF}.3`,
  speed: `${IF}.5`,
  admin: `${IF}.7`,
  oper: `${IF}.8`,
  inOctets: `${IF}.10`,
  inErrors: `${IF}.14`,
  outOctets: `${IF}.16`,
  outErrors: `${IF}.20`,
};
export const INTERFACES_X = {
  name: `${IFX}.1`,
  inOctets: `${IFX}.6`,
  outOctets: `${IFX}.10`,
  highSpeed: `${IFX}.15`,
  alias: `${IFX}.18`,
};
export const ADMIN_STATUS = INTERFACES.admin;
export const UP = 1;
export const DOWN = 2;
/** ethernetCsmacd, and what older agents say of fast and gigabit ports. */
export const ETHERNET = new Set([6, 62, 69, 117]);

const PETH = '1.3.6.1.2.1.105.1.1.1';
export const POE = { enabled: `${PETH}.3`, detection: `${PETH}.6`, class: `${PETH}.10` };
const PSE = '1.3.6.1.2.1.105.1.3.1.1';
export const POE_SUPPLY = { budget: `${PSE}.2`, used: `${PSE}.4` };

const REMOTE = '1.0.8802.1.1.2.1.4.1.1';
export const NEIGHBOURS = {
  chassisSubtype: `${REMOTE}.4`,
  chassis: `${REMOTE}.5`,
  portSubtype: `${REMOTE}.6`,
  port: `${REMOTE}.7`,
  portDescr: `${REMOTE}.8`,
  name: `${REMOTE}.9`,
  descr: `${REMOTE}.10`,
  capabilities: `${REMOTE}.12`,
};
const LOCAL_PORT = '1.0.8802.1.1.2.1.3.7.1';
export const LOCAL_PORTS = { subtype: `${LOCAL_PORT}.2`, id: `${LOCAL_PORT}.3`, descr: `${LOCAL_PORT}.4` };

/** Which bridge port an address was learnt at; the index is the address, with Q-BRIDGE behind its VLAN's number. */
export const LEARNT = '1.3.6.1.2.1.17.4.3.1.2';
export const LEARNT_Q = '1.3.6.1.2.1.17.7.1.2.2.1.2';
export const BRIDGE_PORTS = '1.3.6.1.2.1.17.1.4.1.2';
