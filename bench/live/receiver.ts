import { PeerConnection, type RtcConfig, RtcpReceivingSession, type Track, Video } from 'node-datachannel';

/** A viewer without a browser: it takes H.264 by WebRTC and counts what comes. */
export class Receiver {
  readonly peer: PeerConnection;
  packets = 0;
  bytes = 0;
  /** Key frames of which the first piece came. */
  keys = 0;
  firstMs: number | null = null;
  readonly #candidates: string[] = [];
  /** Held: what is collected as garbage receives nothing any more. */
  readonly track: Track;

  constructor(config: Partial<RtcConfig> = {}) {
    this.peer = new PeerConnection('viewer', { iceServers: [], disableAutoNegotiation: true, ...config });
    const video = new Video('v', 'RecvOnly');
    video.addH264Codec(102, 'profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1');
    const track = this.peer.addTrack(video);
    this.track = track;
    track.setMediaHandler(new RtcpReceivingSession());
    track.onMessage((data) => {
      // RTCP has payload types 192 to 223 (RFC 5761).
      if (data[1]! >= 192 && data[1]! <= 223) return;
      this.firstMs ??= performance.now();
      this.packets++;
      this.bytes += data.length;
      const head = 12 + ((data[0]! & 0x10) !== 0 ? 4 + 4 * data.readUInt16BE(14) : 0);
      const type = data[head]! & 0x1f;
      if (type === 5 || (type === 28 && (data[head + 1]! & 0x9f) === 0x85)) this.keys++;
    });
  }

  /** Its offer, without candidates: they follow the answer, as they do from a player. */
  async offer(): Promise<string> {
    this.peer.setLocalDescription('offer');
    while (this.peer.gatheringState() !== 'complete') await new Promise((resolve) => setTimeout(resolve, 5));
    const lines = this.peer.localDescription()!.sdp.split('\r\n');
    this.#candidates.push(...lines.filter((line) => line.startsWith('a=candidate:')));
    return lines.filter((line) => !/^a=(candidate:|end-of-candidates)/.test(line)).join('\r\n');
  }

  /** Takes the answer; returns its candidates as an SDP fragment (RFC 8840). */
  answer(sdp: string): string {
    this.peer.setRemoteDescription(sdp, 'answer');
    return ['a=mid:v', ...this.#candidates].join('\r\n');
  }

  close(): void {
    this.peer.close();
  }
}
