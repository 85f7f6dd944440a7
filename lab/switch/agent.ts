import snmp from 'net-snmp';

type Cell = number | string | Buffer;
const { ObjectType, MibProviderType, MaxAccess } = snmp;

/** An SNMP v2c and v3 agent with tables in memory. */
export class SnmpAgent {
  readonly #agent: ReturnType<typeof snmp.createAgent>;

  constructor(o: { address: string; port: number; community: string; username: string }) {
    this.#agent = snmp.createAgent({ port: o.port, address: o.address } as never, () => {}, undefined as never);
    const access = this.#agent.getAuthorizer();
    access.addCommunity(o.community);
    access.addUser({
      name: o.username,
      level: snmp.SecurityLevel.authPriv,
      authProtocol: snmp.AuthProtocols.sha,
      authKey: o.community,
      privProtocol: snmp.PrivProtocols.aes,
      privKey: o.community,
    });
  }

  stop(): void {
    this.#agent.close();
  }

  scalar(oid: string, type: number, value: Cell): void {
    const provider = {
      name: oid,
      type: MibProviderType.Scalar,
      oid,
      scalarType: type,
      maxAccess: MaxAccess['read-only'],
    };
    this.#agent.getMib().registerProvider(provider as never);
    this.#agent.getMib().setScalarValue(oid, value as never);
  }

  /** `rows`: cells in the order of `columns`, by index. */
  table(
    oid: string,
    columns: [number: number, type: number, writable?: boolean][],
    rows: [index: number[], cells: Cell[]][],
  ): void {
    const index = rows[0]![0].map((_, i) => ({
      number: 900 + i,
      name: `index${i}`,
      type: ObjectType.Integer,
      maxAccess: MaxAccess['not-accessible'],
    }));
    const shown = columns.map(([number, type, writable]) => ({
      number,
      name: `column${number}`,
      type,
      maxAccess: MaxAccess[writable ? 'read-write' : 'read-only'],
    }));
    const provider = {
      name: oid,
      type: MibProviderType.Table,
      oid,
      maxAccess: MaxAccess['not-accessible'],
      tableColumns: [...index, ...shown],
      tableIndex: index.map(({ name }) => ({ columnName: name })),
    };
    const mib = this.#agent.getMib();
    mib.registerProvider(provider as never);
    for (const [at, cells] of rows) mib.addTableRow(oid, [...at, ...cells] as never);
  }

  cell(oid: string, column: number, index: number[]): unknown {
    return this.#agent.getMib().getTableSingleCell(oid, column, index as never);
  }
}
