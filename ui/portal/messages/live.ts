import { signal } from '@preact/signals';
import type { Notice, NotifyMessage, Unread } from '../../../protocol/wire/notify.ts';
import { sessionEnded } from '../session.ts';
import { type LiveState, LiveStream } from '../site/sse.ts';

/** How many of the person's messages are unread; null until it is known. */
export const unread = signal<Unread | null>(null);
/** How the live connection does. */
export const connection = signal<LiveState>('connecting');

/** What a list of messages does with the live connection. */
export interface Follower {
  /** Connected, or connected again: what came in between is not known. */
  connected: () => void;
  came: (notice: Notice) => void;
  /** Something was read on another page, or here. */
  counted: (unread: Unread) => void;
}
const followers = new Set<Follower>();

/** One live connection for the whole portal, for as long as somebody is signed in. Returns its end. */
export function followMessages(): () => void {
  const stream = new LiveStream<NotifyMessage>({
    url: '/api/v1/notifications/stream',
    onMessage: (message) => {
      unread.value = message.event === 'notice' ? message.data.unread : message.data;
      for (const follower of followers) {
        if (message.event === 'hello') follower.connected();
        else if (message.event === 'notice') follower.came(message.data.notice);
        else follower.counted(message.data);
      }
    },
    onState: (state) => {
      connection.value = state;
    },
    onSignedOut: sessionEnded,
  });
  stream.start();
  return () => {
    stream.stop();
    unread.value = null;
  };
}

export function follow(follower: Follower): () => void {
  followers.add(follower);
  return () => followers.delete(follower);
}
