import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import snmp from 'net-snmp';

type Cell = number | string | Buffer;

/** A switch's SNMP agent on a real socket, with what it holds in tables. */
export class TestAgent {
  port = 0;
  #stopped = false;
  readonly #agent: ReturnType<typeof snmp.createAgent>;

  private constructor(port: number, community: string) {
    this.port = port;
    this.#agent = snmp.createAgent({ port, address: '127.0.0.1' } as never, () => {}, undefined as never);
    this.#agent.getAuthorizer().addCommunity(community);
    this.#agent.getAuthorizer().addUser({
      name: 'operator',
      level: snmp.SecurityLevel.authPriv,
      authProtocol: snmp.AuthProtocols.sha,
      authKey: 'Correct-1',
      privProtocol: snmp.PrivProtocols.aes,
      privKey: 'Correct-1',
    });
  }

  static async start(community = 'secret'): Promise<TestAgent> {
    const probe = createSocket('udp4');
    probe.bind(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address();
    await new Promise<void>((resolve) => probe.close(() => resolve()));
    return new TestAgent(port, community);
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#agent.close();
  }

  scalar(oid: string, type: number, value: Cell): void {
    const name = `s${oid}`;
    const provider = {
      name,
      type: snmp.MibProviderType.Scalar,
      oid: oid.replace(/\.0$/, ''),
      scalarType: type,
      maxAccess: snmp.MaxAccess['read-only'],
    };
    this.#agent.getMib().registerProvider(provider as never);
    this.#agent.getMib().setScalarValue(name, value as never);
  }

  /** `rows`: by index, the cells by column number; `types`: of the columns. */
  table(
    oid: string,
    types: Record<number, number>,
    rows: Record<string, Record<number, Cell>>,
    writable: number[] = [],
  ): void {
    const name = `t${oid}`;
    const parts = Object.keys(rows)[0]!.split('.').length;
    const index = Array.from({ length: parts }, (_, i) => ({
      number: 900 + i,
      name: `i${i}`,
      type: snmp.ObjectType.Integer,
      maxAccess: snmp.MaxAccess['not-accessible'],
    }));
    const numbers = Object.keys(types).map(Number);
    const columns = numbers.map((number) => ({
      number,
      name: `c${number}`,
      type: types[number]!,
      maxAccess: snmp.MaxAccess[writable.includes(number) ? 'read-write' : 'read-only'],
    }));
    const mib = this.#agent.getMib();
    const provider = {
      name,
      type: snmp.MibProviderType.Table,
      oid,
      maxAccess: snmp.MaxAccess['not-accessible'],
      tableColumns: [...index, ...columns],
      tableIndex: index.map(({ name: columnName }) => ({ columnName })),
    };
    mib.registerProvider(provider as never);
    for (const [key, cells] of Object.entries(rows)) {
      mib.addTableRow(name, [...key.split('.').map(Number), ...numbers.map((n) => cells[n])] as never);
    }
  }

  cell(oid: string, column: number, index: number[]): unknown {
    return this.#agent.getMib().getTableSingleCell(`t${oid}`, column, index as never);
  }
}
