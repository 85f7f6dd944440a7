/*
 * A box reduced to journal, video and recorder, to be killed by tests. Arguments: directory, RTSP address. A line `event`
 * on standard input appends a motion event; prints `ready`, `streaming`, and one JSON line for each clip report.
 */

import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { systemClock as clock } from '../../../protocol/clock.ts';
import { Journal } from '../../journal/journal.ts';
import { channelConfig, DEVICE, silent as log, newWarnables } from '../../video/testing/camera.ts';
import { Video } from '../../video/video.ts';
import { Recorder } from '../recorder.ts';
import { event, FakeUploads, recording, SITE_KEY } from './parts.ts';

const [dir = '', url = ''] = process.argv.slice(2);
const warnables = newWarnables();
const journal = new Journal({ path: join(dir, 'journal.db'), clock, log, warnables });
journal.start();
const video = new Video({ clock, log, warnables });
const uploads = new FakeUploads();
const recorder = new Recorder({ journal, video, uploads, dir: join(dir, 'clips'), clock, log, warnables });
let seen = journal.lastSeq;
const say = () => {
  for (const record of journal.read(seen, 100)) {
    seen = record.seq;
    if (record.kind === 'clip') console.log(JSON.stringify(record.body));
  }
};
journal.onAppend(say);
video.onChange(() => video.state(DEVICE, 1).video === 'streaming' && console.log('streaming'));
recorder.start();
recorder.apply([recording({ preRollMs: 1_000, postRollMs: 10_000, key: SITE_KEY })]);
video.setChannels([channelConfig(url)]);
console.log('ready');
createInterface({ input: process.stdin }).on('line', () => {
  void journal.append([{ kind: 'event', body: event(clock.now()) }]);
});
