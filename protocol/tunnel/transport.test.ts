import { memoryConnection, tcpConnection } from './testing/pairs.ts';
import { transportContract } from './testing/transport.contract.ts';
import { Transport, type TransportArguments } from './transport.ts';

const make = (args: TransportArguments) => new Transport(args);

transportContract({ name: 'raw over TCP', mode: 'raw', make, connection: tcpConnection });
transportContract({ name: 'WebSocket over TCP', mode: 'websocket', make, connection: tcpConnection });
transportContract({ name: 'WebSocket in memory', mode: 'websocket', make, connection: memoryConnection });
