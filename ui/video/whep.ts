import { ApiError, errorOf } from '../components/http.ts';

/*
 * WHEP (draft-ietf-wish-whep): an offer is POSTed, the answer comes with the address of the view; candidates follow by
 * PATCH as an SDP fragment (RFC 8840), DELETE ends it.
 */
export interface WhepView {
  /** Its address; null where the relay gave none. */
  location: string | null;
  /** Which connection later candidates are of. */
  etag: string | null;
  answer: string;
}

export async function whepOffer(url: string, sdp: string, signal: AbortSignal): Promise<WhepView> {
  let response: Response;
  try {
    const headers = { 'content-type': 'application/sdp', accept: 'application/sdp, application/problem+json' };
    response = await fetch(url, { method: 'POST', headers, body: sdp, signal });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ApiError('network', 0);
  }
  if (!response.ok) throw await errorOf(response);
  const { headers } = response;
  return { location: headers.get('location'), etag: headers.get('etag'), answer: await response.text() };
}

/** Candidates found since the offer; none: there are no more. Nothing is lost when it fails but a way to be reached. */
export async function whepCandidates(
  { location, etag }: Pick<WhepView, 'location' | 'etag'>,
  offer: string,
  candidates: RTCIceCandidate[],
): Promise<void> {
  if (location === null) return;
  const body = sdpFragment(offer, candidates);
  const headers = { 'content-type': 'application/trickle-ice-sdpfrag', ...(etag !== null && { 'if-match': etag }) };
  await fetch(location, { method: 'PATCH', headers, body }).catch(() => {});
}

/** Goes out even when the page is left. */
export function whepEnd(location: string): void {
  fetch(location, { method: 'DELETE', keepalive: true }).catch(() => {});
}

/** The answer as if no sound were sent: browsers hold pictures back for sound that nobody hears. */
export const withoutSound = (answer: string): string =>
  answer
    .split(/^(?=m=)/m)
    .map((section) =>
      section.startsWith('m=audio ')
        ? section
            .replaceAll(/^a=(?:ssrc|ssrc-group|msid):.*\r?\n/gm, '')
            .replace(/^a=(?:sendonly|sendrecv)/m, 'a=inactive')
        : section,
    )
    .join('');

/** RFC 8840 §9: the fragment names the session by its ufrag, and each media section by its mid. */
export function sdpFragment(offer: string, candidates: readonly RTCIceCandidate[]): string {
  const line = (name: string) => offer.split(/\r?\n/).find((text) => text.startsWith(`a=${name}:`)) ?? '';
  const lines = [line('ice-ufrag'), line('ice-pwd')];
  const mids = [...new Set(candidates.map(({ sdpMid }) => sdpMid ?? '0'))];
  for (const mid of mids) {
    lines.push('m=video 9 UDP/TLS/RTP/SAVPF 0', `a=mid:${mid}`);
    for (const one of candidates) if ((one.sdpMid ?? '0') === mid && one.candidate) lines.push(`a=${one.candidate}`);
  }
  if (candidates.length === 0) lines.push('a=end-of-candidates');
  return `${lines.filter(Boolean).join('\r\n')}\r\n`;
}
