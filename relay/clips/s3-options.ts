import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import type { S3Options } from './s3-store.ts';

const LOOPBACK = /^(?:localhost|(?:[\w-]+\.)+localhost|127(?:\.\d+){3}|\[::1\])$/;

/** The relay's options of where clips are kept. The secret key is never one of the command line, which everybody reads. */
export function addS3Options(command: Command): Command {
  const option = (flags: string, text: string, env: string) => new Option(flags, text).env(`GATEPOST_${env}`);
  return command
    .addOption(
      option(
        '--s3-endpoint <url>',
        'object store for clips, as boxes reach it too: https://s3.example.org (default: the data directory)',
        'S3_ENDPOINT',
      ),
    )
    .addOption(option('--s3-bucket <name>', 'bucket for clips, nothing else is in it', 'S3_BUCKET'))
    .addOption(option('--s3-region <name>', 'its region', 'S3_REGION').default('us-east-1'))
    .addOption(option('--s3-access-key <id>', 'access key id', 'S3_ACCESS_KEY'))
    .addOption(
      option(
        '--s3-secret-file <path>',
        'file with the secret key; or the variable GATEPOST_S3_SECRET_KEY',
        'S3_SECRET_FILE',
      ),
    )
    .addOption(
      option(
        '--s3-virtual-host',
        'address it as https://bucket.host/… instead of https://host/bucket/…',
        'S3_VIRTUAL_HOST',
      ),
    )
    .addOption(
      option(
        '--s3-retired',
        'new clips belong into the data directory; those in the bucket are served until their time is over',
        'S3_RETIRED',
      ),
    )
    .addOption(
      option(
        '--s3-take-back',
        'as --s3-retired, and clips in the bucket are taken back into the data directory',
        'S3_TAKE_BACK',
      ),
    )
    .addOption(
      option('--s3-forget', 'clips in a bucket of before were copied, or are given up: start without it', 'S3_FORGET'),
    );
}

/** Null: no object store. Throws for what is missing or wrong, and says what to do. */
export function s3Options(given: object, env: Record<string, string | undefined>): S3Options | null {
  const o = new Map(Object.entries(given));
  const text = (name: string): string => {
    const value: unknown = o.get(name);
    return typeof value === 'string' ? value : '';
  };
  const [endpoint, bucket, accessKey] = [text('s3Endpoint'), text('s3Bucket'), text('s3AccessKey')];
  if (!endpoint) return null;
  if (!URL.canParse(endpoint) || !/^https?:$/.test(new URL(endpoint).protocol))
    throw new Error(`--s3-endpoint ${endpoint}: an address is needed, as https://s3.example.org`);
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket))
    throw new Error('--s3-bucket: the name of the bucket is needed');
  if (!accessKey) throw new Error('--s3-access-key: the access key id is needed');
  const { protocol, hostname } = new URL(endpoint);
  if (protocol === 'http:' && text('publicUrl').startsWith('https:') && !LOOPBACK.test(hostname))
    throw new Error(
      `--s3-endpoint ${endpoint}: boxes send no footage in clear where the relay has https (--public-url), and would wait for ever. Give the store’s https address`,
    );
  const file = text('s3SecretFile');
  const secretKey = file ? readFileSync(file, 'utf8').trim() : env.GATEPOST_S3_SECRET_KEY;
  if (!secretKey) throw new Error('the secret key is needed: --s3-secret-file, or GATEPOST_S3_SECRET_KEY');
  const options: S3Options = { endpoint, bucket, region: text('s3Region'), accessKey, secretKey, pathStyle: true };
  if (o.get('s3VirtualHost')) options.pathStyle = false;
  if (o.get('s3Retired') || o.get('s3TakeBack')) options.retired = true;
  if (o.get('s3TakeBack')) options.takeBack = true;
  return options;
}
