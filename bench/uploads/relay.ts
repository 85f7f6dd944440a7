/** The clip part of a relay as a process of its own, for tests that kill it: `node bench/uploads/relay.ts DIR PORT`. */
import { startClipRelay } from '../../relay/clips/testing/relay.ts';

const [dir, port] = process.argv.slice(2);
const { url } = await startClipRelay({ dir: dir!, port: Number(port) });
console.log(`ready ${url}`);
