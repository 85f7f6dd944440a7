// Who may import whom. The lab plays devices and receivers: sharing code with what talks to them would make both wrong together.
const only = (from, allowed, comment) => ({
  name: `${from}-imports`,
  comment,
  severity: 'error',
  from: { path: `^${from}/` },
  to: { path: '^(edge|relay|protocol|ui|lab|bench|scripts)/', pathNot: `^(${[from, ...allowed].join('|')})/` },
});

module.exports = {
  forbidden: [
    only('protocol', [], 'the wire knows neither side'),
    only('edge', ['protocol'], 'the box speaks to the relay over the wire only'),
    only('relay', ['protocol'], 'the relay speaks to the box over the wire only'),
    only('ui', ['protocol/wire'], 'the browser knows the wire, not the programs'),
    only('lab', ['protocol/wire'], 'the lab must be wrong independently'),
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-dev-dependency-in-product',
      comment: 'what ships must install without dev dependencies',
      severity: 'error',
      from: { path: '^(edge|relay|protocol)/', pathNot: '\\.test\\.ts$|/testing/' },
      to: { dependencyTypes: ['npm-dev'], pathNot: 'node_modules/@types/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: 'ui/dist' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.tsx', '.js', '.mjs', '.cjs', '.json'] },
  },
};
