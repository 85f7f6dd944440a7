import { expect } from 'vitest';
import type { Fixture } from '../../testing/fixture.ts';

/** Opening asks nobody at the site: the box of these tests is away. */
export const remoteFixture: Fixture = {
  ids: async ({ company, ids }) => {
    const opened = await company.api('POST', `/devices/${ids.deviceId}/remote-sessions`);
    expect([opened.status, opened.body.own]).toEqual([201, true]);
    return { remoteSessionId: opened.body.id };
  },
};
