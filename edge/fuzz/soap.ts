import { readDeviceTime } from '../onvif/device-time.ts';
import { macFor, readScopes } from '../onvif/identity.ts';
import { readProfiles, streamUri } from '../onvif/media.ts';
import { salvage } from '../onvif/pull-point.ts';
import { isNotAuthorized, readAnswer } from '../onvif/soap.ts';
import { meaningOf, messagesOf, readNotification } from '../onvif/topics.ts';
import { type Element, parseTree, serialize } from '../onvif/tree.ts';
import { must, type Target } from './fuzz.ts';
import { mutate } from './mutate.ts';

const HEAD =
  '<?xml version="1.0" encoding="UTF-8"?>\n<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:trt="http://www.onvif.org/ver10/media/wsdl" xmlns:tev="http://www.onvif.org/ver10/events/wsdl" xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2"><s:Header/><s:Body>';
const TAIL = '</s:Body></s:Envelope>';
const envelope = (body: string) => Buffer.from(HEAD + body + TAIL);
const CORPUS = [
  '<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType><tt:TimeZone><tt:TZ>CET-1CEST,M3.5.0,M10.5.0/3</tt:TZ></tt:TimeZone><tt:UTCDateTime><tt:Time><tt:Hour>10</tt:Hour><tt:Minute>44</tt:Minute><tt:Second>24</tt:Second></tt:Time><tt:Date><tt:Year>2026</tt:Year><tt:Month>11</tt:Month><tt:Day>22</tt:Day></tt:Date></tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>',
  '<tds:GetScopesResponse><tds:Scopes><tt:ScopeDef>Fixed</tt:ScopeDef><tt:ScopeItem>onvif://www.onvif.org/MAC/44:19:b6:01:02:03</tt:ScopeItem></tds:Scopes><tds:Scopes><tt:ScopeItem>onvif://www.onvif.org/name/A%20B</tt:ScopeItem></tds:Scopes></tds:GetScopesResponse>',
  '<tds:GetNetworkInterfacesResponse><tds:NetworkInterfaces token="eth0"><tt:Enabled>true</tt:Enabled><tt:Info><tt:HwAddress>44:19:b6:01:02:03</tt:HwAddress></tt:Info><tt:IPv4><tt:Config><tt:Manual><tt:Address>10.7.0.2</tt:Address></tt:Manual></tt:Config></tt:IPv4></tds:NetworkInterfaces></tds:GetNetworkInterfacesResponse>',
  '<trt:GetProfilesResponse><trt:Profiles fixed="true" token="P &amp; 1"><tt:Name>main</tt:Name><tt:VideoSourceConfiguration token="v0"><tt:SourceToken>V_1</tt:SourceToken></tt:VideoSourceConfiguration><tt:VideoEncoderConfiguration token="e0"><tt:Encoding>H264</tt:Encoding><tt:Resolution><tt:Width>1920</tt:Width><tt:Height>1080</tt:Height></tt:Resolution></tt:VideoEncoderConfiguration></trt:Profiles></trt:GetProfilesResponse>',
  '<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:NotAuthorized</s:Value></s:Subcode></s:Code><s:Reason><s:Text xml:lang="en">Sender not Authorized</s:Text></s:Reason></s:Fault>',
].map(envelope);

/** The number stands in topic source and time: mixed messages can be told. */
const message = (n: number) =>
  `<wsnt:NotificationMessage><wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">tns1:VideoSource/MotionAlarm</wsnt:Topic><wsnt:Message><tt:Message UtcTime="2026-01-01T00:00:${n}Z" PropertyOperation="Changed"><tt:Source><tt:SimpleItem Name="Source" Value="V_${n}"/></tt:Source><tt:Data><tt:SimpleItem Name="State" Value="true"/></tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage>`;

/** What an answer tells, as the driver reads it: whole, or else those messages in it that are. */
function told(body: Buffer) {
  const answer = readAnswer(body);
  const elements: Element[] = answer.kind === 'response' ? messagesOf(answer.element) : salvage(body);
  return elements.flatMap((element) => {
    const notification = readNotification(element);
    return notification && meaningOf(notification) ? [notification] : [];
  });
}

export const SOAP: Target[] = [
  {
    name: 'SOAP',
    share: 8,
    run(dice, input) {
      const body = mutate(dice.of(CORPUS), dice, CORPUS);
      input(body);
      const answer = readAnswer(body);
      if (answer.kind === 'fault') isNotAuthorized(answer.fault);
      if (answer.kind !== 'response') return;
      readDeviceTime(answer.element);
      readScopes(answer.element);
      macFor(answer.element, '10.7.0.2');
      for (const { token } of readProfiles(answer.element))
        must(typeof token === 'string', 'a profile without a token');
      const uri = streamUri(body.subarray(0, 200).toString('latin1'), '10.7.0.2');
      must(uri === null || URL.canParse(uri), 'an address that is none');
      // What is written back reads as what was read.
      const again = parseTree(serialize(answer.element));
      must(again !== null && again.name === answer.element.name, 'a tree that cannot be written back');
    },
  },
  {
    name: 'ONVIF events',
    share: 8,
    run(dice, input) {
      const count = 2 + dice.below(5);
      const bad = dice.below(count);
      const messages = Array.from({ length: count }, (_, i) => Buffer.from(message(10 + i)));
      const fault = mutate(messages[bad]!, dice, CORPUS);
      const body = Buffer.concat([
        Buffer.from(`${HEAD}<tev:PullMessagesResponse>`),
        ...messages.map((m, i) => (i === bad ? fault : m)),
        Buffer.from(`</tev:PullMessagesResponse>${TAIL}`),
      ]);
      input(body);
      const numbers = told(body).map((n) => {
        const number = Number(n.deviceTime?.slice(17, 19));
        return n.source.get('source') === `V_${number}` ? number : 10 + bad;
      });
      // Markup that hides or encloses what follows is none that one message can have by itself.
      if (/<!|<\?|NotificationMessage[^>]*$|<\/(tev|s):|\]\]>|-->/.test(fault.toString('latin1').slice(27, -28)))
        return;
      const whole = messages.flatMap((_, i) => (i === bad ? [] : [10 + i]));
      for (const n of whole) must(numbers.includes(n), `one bad message took message ${n} along`);
      for (const n of numbers) must(whole.includes(n) || n === 10 + bad, `an event that nobody sent: ${n}`);
    },
  },
];
