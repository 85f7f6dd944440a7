import { expect, it } from 'vitest';
import { readImport } from './import.ts';

it('reads devices from lines as spreadsheets write them (ADD-05)', () => {
  const text =
    'Name;Address;Port;User;Password;Channels\nGate;cam.example;8000;admin;"se;c""ret";4\r\n\nYard;192.0.2.1;;admin;pw;\n';
  expect(readImport(text)).toEqual([
    {
      line: 2,
      error: null,
      device: {
        method: 'ip',
        name: 'Gate',
        host: 'cam.example',
        port: 8000,
        username: 'admin',
        password: 'se;c"ret',
        channelCount: 4,
      },
    },
    {
      line: 4,
      error: null,
      device: {
        method: 'ip',
        name: 'Yard',
        host: '192.0.2.1',
        port: 80,
        username: 'admin',
        password: 'pw',
        channelCount: 1,
      },
    },
  ]);
  expect(readImport('A,b,80,u,p')[0]?.device).toMatchObject({ name: 'A', host: 'b' });
  expect(readImport('A\tb\t80\tu\tp')[0]?.device).toMatchObject({ name: 'A', host: 'b' });
});

it.each([
  ['A,b', 'columns'],
  ['A,b,80,u,', 'columns'],
  ['A,b,99999,u,p', 'port'],
  ['A,b,80,u,p,129', 'channels'],
])('says what is wrong with “%s”', (line, error) => {
  expect(readImport(line)).toEqual([{ line: 1, error, device: null }]);
});
