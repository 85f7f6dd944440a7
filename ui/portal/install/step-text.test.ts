import { beforeAll, expect, it } from 'vitest';
import { speakEnglish } from '../../components/testing.ts';
import { stepText } from './step-text.ts';

beforeAll(speakEnglish);

it('names settings as the device’s page does, and says what was wanted', () => {
  expect(stepText('smartCodec: true (wanted: false)')).toBe('Smart codec (H.264+/H.265+): Yes (wanted: No)');
  expect(stepText('smartCodec: false, codec: H.264')).toBe('Smart codec (H.264+/H.265+): No; Codec: H.264');
  expect(stepText('Channel 2: codec: H.264; Channel 3: It did not answer.')).toBe(
    'Channel 2: Codec: H.264; Channel 3: It did not answer.',
  );
  expect(stepText('notify, enabled')).toBe('Notify the surveillance centre; In use');
});

it('leaves sentences alone', () => {
  for (const text of ['It did not answer.', 'V5.7.15 build 240201', 'newer', 'one, two'])
    expect(stepText(text)).toBe(text);
});
