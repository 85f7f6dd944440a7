import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import type { FragmentInfo } from '../../../protocol/wire/uploads.ts';
import { boxes } from '../mp4.ts';

export type SampleFragment = Omit<FragmentInfo, 'clipId'> & { data: Buffer };

/** A real clip made by ffmpeg: init segment and one fragment a second, each beginning with a key frame. */
export function sampleClip({ seconds = 12, bitrate = '400k', size = '320x240' } = {}): SampleFragment[] {
  const file = execFileSync(
    'ffmpeg',
    [
      ...['-v', 'error', '-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=25:duration=${seconds}`],
      ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p', '-g', '25'],
      ...['-b:v', bitrate, '-maxrate', bitrate, '-bufsize', bitrate, '-nal-hrd', 'cbr'],
      ...['-movflags', 'frag_keyframe+empty_moov+default_base_moof', '-f', 'mp4', 'pipe:1'],
    ],
    { maxBuffer: 1 << 30 },
  );
  const parts: Buffer[] = [Buffer.alloc(0)];
  for (const box of boxes(file)) {
    const bytes = file.subarray(box.start, box.end);
    if (box.type === 'moof') parts.push(bytes);
    else if (box.type !== 'mfra') parts.push(Buffer.concat([parts.pop()!, bytes]));
  }
  return parts.map((data, n) => describe(data, n));
}

export function describe(data: Buffer, n: number): SampleFragment {
  const sha256 = createHash('sha256').update(data).digest('hex');
  return { n, data, size: data.length, sha256, durationMs: n === 0 ? 0 : 1000, keyFrame: n > 0 };
}
