import { createServer } from 'node:http';

/* Something that takes connections on port 80. */
createServer((_, res) => res.end()).listen(80, '0.0.0.0', () => process.stdout.write('up\n'));
