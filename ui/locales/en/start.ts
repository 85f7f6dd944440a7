/* What every page of the portal says: one file on its way to the browser. */
export { default as common } from './common.json' with { type: 'json' };
export { default as portal } from './portal.json' with { type: 'json' };
export { default as problems } from './problems.json' with { type: 'json' };
