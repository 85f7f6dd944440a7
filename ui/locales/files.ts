import type activation from './en/activation.json';
import type arcJoining from './en/arc-joining.json';
import type centre from './en/centre.json';
import type clips from './en/clips.json';
import type cloud from './en/cloud.json';
import type common from './en/common.json';
import type customer from './en/customer.json';
import type deliveries from './en/deliveries.json';
import type desk from './en/desk.json';
import type handover from './en/handover.json';
import type home from './en/home.json';
import type install from './en/install.json';
import type keys from './en/keys.json';
import type live from './en/live.json';
import type log from './en/log.json';
import type messages from './en/messages.json';
import type operations from './en/operations.json';
import type operator from './en/operator.json';
import type outputs from './en/outputs.json';
import type panel from './en/panel.json';
import type partners from './en/partners.json';
import type people from './en/people.json';
import type playback from './en/playback.json';
import type portal from './en/portal.json';
import type problems from './en/problems.json';
import type register from './en/register.json';
import type search from './en/search.json';
import type setup from './en/setup.json';
import type sharing from './en/sharing.json';
import type site from './en/site.json';
import type sites from './en/sites.json';
import type upgrade from './en/upgrade.json';
import type uplink from './en/uplink.json';

/**
 * The files of strings, one for each group of pages; `en/` gives the keys. `common`, `portal` and `problems` are there on
 * every page of the portal, the others are loaded with the pages that name them in their route.
 */
export interface Files {
  activation: typeof activation;
  centre: typeof centre;
  'arc-joining': typeof arcJoining;
  clips: typeof clips;
  cloud: typeof cloud;
  common: typeof common;
  customer: typeof customer;
  deliveries: typeof deliveries;
  desk: typeof desk;
  handover: typeof handover;
  home: typeof home;
  install: typeof install;
  keys: typeof keys;
  log: typeof log;
  live: typeof live;
  messages: typeof messages;
  panel: typeof panel;
  partners: typeof partners;
  sharing: typeof sharing;
  people: typeof people;
  playback: typeof playback;
  operations: typeof operations;
  operator: typeof operator;
  outputs: typeof outputs;
  portal: typeof portal;
  problems: typeof problems;
  register: typeof register;
  search: typeof search;
  setup: typeof setup;
  site: typeof site;
  sites: typeof sites;
  upgrade: typeof upgrade;
  uplink: typeof uplink;
}
