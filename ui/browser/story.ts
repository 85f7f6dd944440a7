import { beforeEach } from 'vitest';

/* The tests of a page or a journey are steps on one stack. After one that failed the others would wait in vain for what it should have done. */

let broken = false;
beforeEach(({ skip, onTestFailed }) => {
  if (broken) skip('a step before it failed');
  onTestFailed(() => {
    broken = true;
  });
});
