import { failure, type IsapiFailure, type Result } from '../../isapi/answer.ts';
import type { OnvifDevice } from '../onvif-device.ts';
import { all, type Element, first, textAt, xmlText } from '../tree.ts';

export interface SearchFor<T> {
  /** The call that begins it, XML. */
  begin: string;
  results: 'GetRecordingSearchResults' | 'GetEventSearchResults';
  /** Name of one result. */
  item: 'RecordingInformation' | 'Result';
  /** What is kept of one, plain data; null: nothing. A page has megabytes, and there are many. */
  read: (element: Element) => T | null;
  /** More are not taken. */
  max: number;
  signal?: AbortSignal;
}
export interface Results<T> {
  items: T[];
  complete: boolean;
}

const PAGE = 100;
const MAX_PAGES = 200;
const MAX_TOKEN = 512;
const MAX_BODY = 4 * 1024 * 1024;
const WAIT_S = 5;
const SEARCH_MS = 25_000;
/** Some answer at once that they have nothing yet. */
const EMPTY_PAUSE_MS = 250;
/** A search that the device lost is begun once more. */
const TRIES = 2;
/** Until it is begun again where others hold all its places. */
const FULL_MS = [300, 700, 1_500, 3_000] as const;
const FULL = /^(ResourceProblem|MaxSearch\w*|OutofMemory)$/i;

/** One search to its end (ONVIF Recording Search §5.4): begun, its results in pieces and in any order, given back. */
export async function search<T>(device: OnvifDevice, o: SearchFor<T>): Promise<Result<Results<T>>> {
  const release = await device.searches.take(o.signal);
  if (!release) return failure('device-error', 'So much is searched for already, or nobody waits for it any more.');
  try {
    let last: Result<Results<T>> = failure('device-error', 'It was not searched.');
    for (let tried = 0; tried < TRIES; tried++) {
      const begun = await begin(device, o);
      if (!begun.ok) return inWords(begun);
      const token = textAt(begun.value, 'SearchToken');
      if (token === '' || token.length > MAX_TOKEN)
        return failure('device-error', 'What it answered to the search for recordings cannot be read.');
      last = await collect(device, token, o);
      // It keeps few of them, also one that nobody waits for any more.
      const end = `<tse:EndSearch><tse:SearchToken>${xmlText(token)}</tse:SearchToken></tse:EndSearch>`;
      await device.call('search', end, { timeoutMs: 3_000 });
      if (last.ok || !isLost(last)) break;
    }
    return last;
  } finally {
    release();
  }
}

async function begin<T>(device: OnvifDevice, o: SearchFor<T>): Promise<Result<Element>> {
  for (let tried = 0; ; tried++) {
    // Not broken off: a search whose token never came cannot be given back.
    const begun = await device.call('search', o.begin, { timeoutMs: 15_000 });
    const waitMs = FULL_MS[tried];
    if (begun.ok || !FULL.test(begun.subStatus ?? '') || waitMs === undefined || o.signal?.aborted) return begun;
    await device.clock.sleep(waitMs, o.signal);
  }
}

async function collect<T>(device: OnvifDevice, token: string, o: SearchFor<T>): Promise<Result<Results<T>>> {
  const { clock } = device;
  const until = clock.mono() + SEARCH_MS;
  const items: T[] = [];
  let taken = 0;
  let completed = false;
  for (let page = 0; page < MAX_PAGES && clock.mono() < until; page++) {
    const answer = await device.call(
      'search',
      `<tse:${o.results}><tse:SearchToken>${xmlText(token)}</tse:SearchToken><tse:MinResults>1</tse:MinResults><tse:MaxResults>${PAGE}</tse:MaxResults><tse:WaitTime>PT${WAIT_S}S</tse:WaitTime></tse:${o.results}>`,
      { signal: o.signal, timeoutMs: WAIT_S * 1000 + 8_000, maxBytes: MAX_BODY },
    );
    if (!answer.ok) {
      // What is completed may be forgotten at once; nothing is missing then.
      if (completed && answer.code === 'device-error') return { ok: true, value: { items, complete: true } };
      return inWords(answer);
    }
    const list = first(answer.value, 'ResultList');
    const found = all(list, o.item);
    const state = textAt(list, 'SearchState').toLowerCase();
    for (const element of found.slice(0, o.max - taken)) {
      taken++;
      const one = o.read(element);
      // A copy: strings that are pieces of the page would keep all of it.
      if (one !== null) items.push(structuredClone(one));
    }
    if (taken >= o.max) return { ok: true, value: { items, complete: false } };
    completed = state === 'completed' || (state !== 'searching' && state !== 'queued' && found.length < PAGE);
    // It may have found everything and not told it yet.
    if (completed && found.length < PAGE) return { ok: true, value: { items, complete: true } };
    if (found.length === 0) await clock.sleep(EMPTY_PAUSE_MS, o.signal);
    if (o.signal?.aborted) break;
  }
  return { ok: true, value: { items, complete: false } };
}

/** It does not know this search or its filter, and will not the next time either. */
export const isUnable = (f: IsapiFailure): boolean =>
  f.code === 'device-error' &&
  /^(ActionNotSupported|Invalid\w*Filter\w*|InvalidFilter|InvalidArgVal|InvalidArgs|NoScope)$/i.test(f.subStatus ?? '');

const isLost = (f: IsapiFailure): boolean => /^(InvalidToken|InvalidSearchToken|NoToken)$/i.test(f.subStatus ?? '');

/** What its faults mean to a person (ONVIF Recording Search §5.4, Replay Control §5.4). */
export function inWords(f: IsapiFailure): IsapiFailure {
  const sub = f.subStatus ?? '';
  const said = (code: IsapiFailure['code'], words: string) =>
    failure(code, words, { status: f.status, subStatus: sub });
  if (isLost(f)) return said('device-error', 'It lost the search before it was over: try again.');
  if (FULL.test(sub)) return said('device-error', 'It does as many searches as it can: try again in a minute.');
  if (/^NoRecording$/i.test(sub)) return said('not-found', 'It does not have that recording any more.');
  if (/^(MaxReplay\w*|MaxSession\w*|ReplayLimit\w*)$/i.test(sub))
    return said('device-error', 'It plays as many recordings as it can: close another window.');
  return f;
}
