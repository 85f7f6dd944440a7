import { createRoute } from '@hono/zod-openapi';
import type { Api } from '../api/app.ts';
import { problems } from '../api/problem.ts';
import { ChannelParams } from './live-routes.ts';
import type { Watching } from './watching.ts';

export function registerTalkRoutes(api: Api, { watching }: { watching: Watching }): void {
  api.openapi(
    createRoute({
      method: 'get',
      path: '/devices/{deviceId}/channels/{channel}/talk/socket',
      operationId: 'talkToChannel',
      tags: ['Live view'],
      summary: 'Speak to a camera or a door station (WebSocket)',
      description:
        'Binary messages to the relay: G.711 µ-law, 8 kHz, mono, 10 to 60 ms each, at the pace at which it is spoken. Text messages from it: `{"type":"ready"}` when the device has opened its loudspeaker (sound sent before is left out), `{"type":"heard","heardMs"}` while it takes it, `{"type":"ended","code","text"}` before the socket closes. One voice a channel, ten minutes at most, ten seconds of nothing end it; sound that would be more than half a second late is left out. Where a channel can be spoken to stands in `talk` of its live options. Each time stands among the viewings and in the operation log; nothing that is said is kept. Ask by upgrade; browsers with the session’s cookie from the portal’s own pages only; never with a key that may only read.',
      request: { params: ChannelParams },
      responses: {
        101: { description: 'A WebSocket' },
        ...problems('not-allowed', 'account-limited', 'permission-needed', 'not-found', 'conflict'),
      },
    }),
    async (c) => {
      const { deviceId, channel } = c.req.valid('param');
      // Tried is logged too: it would have been heard.
      c.set('audit', { always: true, detail: `channel ${channel}` });
      return watching.talks.socket(c, await watching.device(c.get('scope'), deviceId, 'live'), channel);
    },
  );
}
