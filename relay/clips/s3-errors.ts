/** An answer of an object store that is no success, with what it says and what to do about it. */
export interface S3Refusal {
  status: number;
  /** Of its XML body; HEAD has none. */
  code: string | null;
  /** Told with a redirect to another region. */
  region: string | null;
}

const MAX_ERROR_BYTES = 16 * 1024;

const CLOCK = 'its clock and that of this machine differ: set the time of this machine (NTP)';
const KEY = 'the secret key is not the one of this access key';
const RIGHTS =
  'access key or secret are wrong, or the key lacks s3:GetObject, s3:PutObject or s3:DeleteObject on its objects or s3:ListBucket on the bucket';
const REGION = 'the bucket is in another region, or has another address: check --s3-region and --s3-endpoint';

/** Codes of Amazon’s “Error responses”, which other stores use too. */
const WHAT_TO_DO: Record<string, string> = {
  AccessDenied: RIGHTS,
  AuthorizationHeaderMalformed: REGION,
  InvalidAccessKeyId: 'it does not know this access key id',
  NoSuchBucket: 'there is no such bucket: make it, or check --s3-bucket',
  PermanentRedirect: REGION,
  RequestExpired: CLOCK,
  RequestTimeTooSkewed: CLOCK,
  SignatureDoesNotMatch: KEY,
  SlowDown: 'it has too much to do',
  TemporaryRedirect: REGION,
};

/** Reads what a failed answer says; what is left of it is not read. */
export async function refusalOf(response: Response): Promise<S3Refusal> {
  let text = '';
  try {
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString('latin1');
      if (text.length > MAX_ERROR_BYTES) break;
    }
  } catch {
    // Cut: its status says enough.
  }
  const code = /<Code>(\w{1,64})<\/Code>/.exec(text)?.[1] ?? null;
  const region =
    response.headers.get('x-amz-bucket-region') ?? /<Region>([\w-]{1,32})<\/Region>/.exec(text)?.[1] ?? null;
  return { status: response.status, code, region };
}

/** In words: “403 (SignatureDoesNotMatch): the secret key is …”. */
export function wordsOf({ status, code, region }: S3Refusal): string {
  const redirected = status >= 300 && status < 400;
  // HEAD of an object that is not there is 403, not 404, to whom may not list the bucket (Amazon S3, HeadObject).
  let advice = (code && WHAT_TO_DO[code]) || (status === 403 ? RIGHTS : redirected ? REGION : null);
  if (advice === REGION && region) advice = `the bucket is in the region ${region}: set --s3-region ${region}`;
  return `${status}${code ? ` (${code})` : ''}${advice ? `: ${advice}` : ''}`;
}
