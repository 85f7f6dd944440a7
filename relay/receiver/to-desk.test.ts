import { expect, it } from 'vitest';
import type { ForeignMessage } from '../arc/desk/intake.ts';
import type { DbOrTrx } from '../db/database.ts';
import type { NewMessage } from './message.ts';
import { takeForeign } from './to-desk.ts';

it('every event of a block has a line at the desk; the first has the message’s id', async () => {
  const taken: ForeignMessage[] = [];
  const desk = {
    takeForeign: async (_: DbOrTrx, lines: ForeignMessage[]) => {
      taken.push(...lines);
    },
  };
  const id = '01890a5d-ac96-774b-bcce-b302099a8057';
  const of = (event: string, zone: string, qualifier: 'begin' | 'end' = 'begin') => ({
    event,
    qualifier,
    zone,
    area: 1,
    text: null,
  });
  const message: NewMessage & { id: string; repeat: boolean } = {
    id,
    repeat: false,
    owner: 'c',
    receiverId: 'r',
    accountId: null,
    account: '1234',
    source: 'device',
    protocol: 'SIA-DCS',
    sequence: 7,
    line: null,
    encrypted: false,
    xdata: [],
    pictures: [],
    peer: '',
    frame: '',
    data: '#1234|Nri1BA001/ri2FA002/ri1BR003/RP',
    occurredMs: null,
    receivedMs: 1_000,
    events: [of('BA', '001'), of('FA', '002'), of('BR', '003', 'end'), of('RP', '000')],
  };
  await takeForeign(desk, {} as DbOrTrx, message);
  expect(taken.map(({ code, zone, kind }) => [code, zone, kind])).toEqual([
    ['BA', '001', 'alarm'],
    ['FA', '002', 'alarm'],
    ['BR', '003', 'restore'],
    ['RP', '000', 'test'],
  ]);
  expect(taken[0]!.id).toBe(id);
  expect(new Set(taken.map((line) => line.id)).size).toBe(4);
});
