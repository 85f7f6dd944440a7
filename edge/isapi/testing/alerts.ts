/** One part of an alertStream as current firmware writes it. */
export function alertPart(type: string, state: 'active' | 'inactive' = 'active', more = ''): string {
  const body = `<EventNotificationAlert version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema">\r\n<channelID>1</channelID>\r\n<eventType>${type}</eventType>\r\n<eventState>${state}</eventState>\r\n${more}</EventNotificationAlert>\r\n`;
  return `--boundary\r\nContent-Type: application/xml; charset="UTF-8"\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}\r\n`;
}
