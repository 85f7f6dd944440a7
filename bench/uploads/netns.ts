import { execFile, execFileSync, spawn } from 'node:child_process';
import { promisify } from 'node:util';

const run = (command: string) => execFileSync('sh', ['-ec', command], { stdio: ['ignore', 'ignore', 'pipe'] });

/**
 * Two network namespaces and a line between them: from `box` to `relay` a router with `mbit` and `bufferMs` of buffer, as
 * an uplink has it; back without a limit but with `delayMs`. A real queue, unlike a user-space proxy, which would hide the
 * kernel's send buffer. Needs root.
 */
export function makeLine({ mbit, bufferMs }: { mbit: number; bufferMs: number }) {
  const id = `gpu${process.pid}`;
  const [box, relay] = [`${id}b`, `${id}r`];
  const remove = () => {
    for (const name of [box, relay]) {
      try {
        run(`ip netns del ${name}`);
      } catch {
        // It was not made.
      }
    }
  };
  try {
    run(`
      ip netns add ${box}; ip netns add ${relay}
      ip -n ${box} link add wan0 type veth peer name net0 netns ${relay}
      ip -n ${box} addr add 10.99.0.2/24 dev wan0; ip -n ${relay} addr add 10.99.0.1/24 dev net0
      for end in "${box} wan0" "${relay} net0"; do
        set -- $end
        ip -n $1 link set lo up; ip -n $1 link set $2 up
        ip -n $1 route replace 10.99.0.0/24 dev $2 congctl cubic
        ip netns exec $1 ethtool -K $2 tso off gso off gro off 2>/dev/null || true
      done
      tc -n ${box} qdisc add dev wan0 root tbf rate ${mbit}mbit burst 16kb latency ${bufferMs}ms
    `);
  } catch (error) {
    remove();
    throw error;
  }
  const program = (name: string, script: string, ...args: string[]) =>
    spawn('ip', ['netns', 'exec', name, process.execPath, script, ...args], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
  return {
    relayHost: '10.99.0.1',
    onBox: (script: string, ...args: string[]) => program(box, script, ...args),
    onRelay: (script: string, ...args: string[]) => program(relay, script, ...args),
    /** What waits in the router now, in milliseconds of its rate. */
    async queueMs(): Promise<number> {
      const { stdout } = await promisify(execFile)('tc', ['-n', box, '-s', '-j', 'qdisc', 'show', 'dev', 'wan0']);
      return (JSON.parse(stdout)[0].backlog * 8) / 1000 / mbit;
    },
    remove,
  };
}
