import { client } from '../components/http.ts';

let signedOut = () => {};
/** Who hears that the box asks for its password again. */
export const onSignedOut = (fn: () => void) => {
  signedOut = fn;
};

export const api = client('/api/setup', () => signedOut());
