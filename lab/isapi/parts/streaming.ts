import type { Device, MakePart } from '../../devices/device.ts';
import { isRecorder } from '../../devices/profile.ts';
import { AlertStreams } from '../alert-stream.ts';
import { refusal, statusXml } from '../answer.ts';
import { find, setText, textOf, type XmlNode } from '../xml.ts';

const CODECS = ['H.264', 'H.265', 'MJPEG'];
const XMLNS = 'http://www.isapi.org/ver20/XMLSchema';

function channelXml(device: Device, channel: number, stream: number, name: string): string {
  const { profile: p } = device;
  const main = stream === 1;
  const fps = main ? p.fps : Math.min(p.fps, 15);
  const input = isRecorder(p.kind) && channel > p.analogChannels ? 'dynVideoInputChannelID' : 'videoInputChannelID';
  return `<StreamingChannel version="2.0" xmlns="${XMLNS}">
<id>${channel}0${stream}</id>
<channelName>${name}</channelName>
<enabled>true</enabled>
<Transport>
<maxPacketSize>1000</maxPacketSize>
<ControlProtocolList><ControlProtocol><streamingTransport>RTSP</streamingTransport></ControlProtocol></ControlProtocolList>
<Unicast><enabled>true</enabled><rtpTransportType>RTP/TCP</rtpTransportType></Unicast>
<Security><enabled>true</enabled><certificateType>digest</certificateType></Security>
</Transport>
<Video>
<enabled>true</enabled>
<${input}>${channel}</${input}>
<videoCodecType>H.264</videoCodecType>
<videoScanType>progressive</videoScanType>
<videoResolutionWidth>${main ? 1280 : 640}</videoResolutionWidth>
<videoResolutionHeight>${main ? 720 : 360}</videoResolutionHeight>
<videoQualityControlType>CBR</videoQualityControlType>
<constantBitRate>${main ? p.kbps : 512}</constantBitRate>
<fixedQuality>60</fixedQuality>
<vbrUpperCap>${main ? p.kbps : 512}</vbrUpperCap>
<vbrLowerCap>32</vbrLowerCap>
<maxFrameRate>${fps * 100}</maxFrameRate>
<keyFrameInterval>${p.keyFrameMs}</keyFrameInterval>
<snapShotImageType>JPEG</snapShotImageType>
<H264Profile>Main</H264Profile>
<GovLength>${Math.round((fps * p.keyFrameMs) / 1000)}</GovLength>
<PacketType>PS</PacketType>
<PacketType>RTP</PacketType>
<smoothing>50</smoothing>
<H265Profile>Main</H265Profile>
<SmartCodec><enabled>false</enabled></SmartCodec>
</Video>
<Audio><enabled>false</enabled><audioInputChannelID>1</audioInputChannelID><audioCompressionType>G.711ulaw</audioCompressionType></Audio>
</StreamingChannel>`;
}

function capabilitiesXml(id: string, main: boolean, maxKbps: number): string {
  return `<StreamingChannel version="2.0" xmlns="${XMLNS}">
<id opt="${id}">${id}</id>
<channelName min="0" max="32">Camera</channelName>
<enabled opt="true">true</enabled>
<Video>
<enabled opt="true">true</enabled>
<videoInputChannelID opt="1">1</videoInputChannelID>
<videoCodecType opt="${main ? 'H.264,H.265' : CODECS.join(',')}">H.264</videoCodecType>
<videoScanType opt="progressive">progressive</videoScanType>
<videoResolutionWidth opt="${main ? '2688*1520,1920*1080,1280*720'.replace(/\*\d+/g, '') : '704,640,352'}">${main ? 1280 : 640}</videoResolutionWidth>
<videoResolutionHeight opt="${main ? '1520,1080,720' : '576,360,288'}">${main ? 720 : 360}</videoResolutionHeight>
<videoQualityControlType opt="CBR,VBR">CBR</videoQualityControlType>
<constantBitRate min="32" max="${maxKbps}">2000</constantBitRate>
<fixedQuality opt="1,20,40,60,80,100">60</fixedQuality>
<vbrUpperCap min="32" max="${maxKbps}">2000</vbrUpperCap>
<maxFrameRate opt="2500,2200,2000,1800,1600,1500,1200,1000,800,600,400,200,100">2500</maxFrameRate>
<keyFrameInterval min="0" max="0">0</keyFrameInterval>
<GovLength min="1" max="400">50</GovLength>
<snapShotImageType opt="JPEG">JPEG</snapShotImageType>
<H264Profile opt="Baseline,Main,High">Main</H264Profile>
<H265Profile opt="Main">Main</H265Profile>
<smoothing min="1" max="100">50</smoothing>
${main ? '<SmartCodec><enabled opt="true,false">false</enabled></SmartCodec>' : ''}
</Video>
<Audio><enabled opt="true,false">false</enabled><audioCompressionType opt="G.711ulaw,G.711alaw,G.726,AAC">G.711ulaw</audioCompressionType></Audio>
<isSupportVBR>true</isSupportVBR>
</StreamingChannel>`;
}

/** The rules between the fields of a stream: frames and milliseconds agree; smart codecs are VBR, H.264 or H.265. */
function check(wanted: XmlNode, was: XmlNode): string | null {
  const text = (path: string) => textOf(wanted, `Video/${path}`) ?? '';
  const before = (path: string) => textOf(was, `Video/${path}`) ?? '';
  const smart = text('SmartCodec/enabled') === 'true';
  if (!CODECS.includes(text('videoCodecType'))) return 'badParameters';
  if (smart && text('videoCodecType') === 'MJPEG') return 'badParameters';
  // Refused in one write: first the smart codec off, then what it ruled.
  const wasSmart = before('SmartCodec/enabled') === 'true';
  const others = ['GovLength', 'constantBitRate', 'videoQualityControlType'];
  if (wasSmart && !smart && others.some((leaf) => text(leaf) !== before(leaf))) return 'invalidOperation';
  const fps = Number(text('maxFrameRate')) / 100 || 25;
  const gov = Number(text('GovLength'));
  if (!(gov >= 1 && gov <= 400)) return 'badParameters';
  if (smart) {
    setText(wanted, 'Video/videoQualityControlType', 'VBR');
    setText(wanted, 'Video/GovLength', before('GovLength'));
    setText(wanted, 'Video/keyFrameInterval', before('keyFrameInterval'));
    return null;
  }
  setText(wanted, 'Video/keyFrameInterval', `${Math.round((gov * 1000) / fps)}`);
  return null;
}

/** A smart codec stretches the distance of key frames while nothing moves. */
function codingOf(is: XmlNode): { keyFrameMs: number } {
  const smart = textOf(is, 'Video/SmartCodec/enabled') === 'true';
  return { keyFrameMs: smart ? 12_000 : Math.max(40, Number(textOf(is, 'Video/keyFrameInterval')) || 2000) };
}

/** Adds one video channel's streams; main and sub, a main only for old ones. */
export function addStreams(device: Device, root: string, channel: number, name: string): string[] {
  const { documents, profile: p } = device;
  const streams = p.odd.errorsWith200 && !isRecorder(p.kind) ? [1] : [1, 2];
  return streams.map((stream) => {
    const path = `${root}/${channel}0${stream}`;
    documents.add(path, channelXml(device, channel, stream, name), {
      fixed: ['id', 'Video/videoInputChannelID'],
      values: {
        'Video/constantBitRate': [32, 16384],
        'Video/vbrUpperCap': [32, 16384],
        'Video/maxFrameRate': [0, 6000],
        'Video/SmartCodec/enabled': ['true', 'false'],
        'Video/videoQualityControlType': ['CBR', 'VBR'],
      },
      check,
      written: (is) => stream === 1 && void device.code(codingOf(is)),
    });
    documents.add(`${path}/capabilities`, capabilitiesXml(`${channel}0${stream}`, stream === 1, 16384), {
      readOnly: true,
    });
    return path;
  });
}

/** Streams, snapshots and the alertStream of a camera (isapi §7, §10). */
export const streaming: MakePart = (device) => {
  const { documents, profile: p } = device;
  const paths = [...Array(Math.max(1, p.analogChannels || 1)).keys()].flatMap((i) =>
    addStreams(device, '/Streaming/channels', i + 1, p.analogChannels > 1 ? `Camera 0${i + 1}` : p.name),
  );
  documents.list(
    '/Streaming/channels',
    `<StreamingChannelList version="2.0" xmlns="${p.odd.namespace}"/>`,
    () => paths,
  );
  return {
    state: () => ({
      smartCodec: paths.some((path) => find(documents.at(path)!, 'Video/SmartCodec/enabled')?.text === 'true'),
    }),
    take: (asked, response) => {
      if (!/^\/Streaming\/channels\/\d+\/picture$/.test(asked.path) || asked.method !== 'GET') return false;
      asked.raw.resume();
      const channel = Number(asked.path.split('/')[3]!.slice(0, -2));
      // Of a recorder's IP channel there is none here.
      if (isRecorder(p.kind) && channel > p.analogChannels) return false;
      device.snapshot().then(
        (jpeg) => response.writeHead(200, { 'Content-Type': 'image/jpeg', 'Content-Length': jpeg.length }).end(jpeg),
        () => response.writeHead(500).end(statusXml(asked.url, refusal('deviceError'))),
      );
      return true;
    },
  };
};

/** `GET …/alertStream`, for every device that has events. */
export const arming: MakePart = (device) => ({
  take: (asked, response) => {
    if (asked.path !== '/Event/notification/alertStream' || asked.method !== 'GET') return false;
    asked.raw.resume();
    if (device.streams.count < AlertStreams.max) device.streams.add(response);
    else response.writeHead(503).end(statusXml(asked.url, refusal('maxSessionUserLink')));
    return true;
  },
});
