import { PrivatePostgres } from './postgres.ts';

/** Of a test run: with `GATEPOST_TEST_DATABASE=postgres` the relay's tests run on a PostgreSQL of their own. */
export async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (process.env.GATEPOST_TEST_DATABASE !== 'postgres') return undefined;
  const postgres = await new PrivatePostgres().start();
  process.env.GATEPOST_TEST_POSTGRES = postgres.url('postgres');
  return () => postgres.stop();
}
