import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ApiError } from './http.ts';

export interface Resource<T> {
  data: T | undefined;
  error: ApiError | null;
  loading: boolean;
  reload: () => void;
  set: (change: (data: T) => T) => void;
}

export const asApiError = (error: unknown): ApiError =>
  error instanceof ApiError ? error : new ApiError('internal-error', 0, { detail: String(error) });

/** Loads when `deps` change, and again on `reload`; keeps what it has while loading again, forgets it when deps change. */
export function useResource<T>(load: (signal: AbortSignal) => Promise<T>, deps: readonly unknown[]): Resource<T> {
  const [state, setState] = useState<{ data?: T; error: ApiError | null; loading: boolean }>({
    error: null,
    loading: true,
  });
  const [turn, setTurn] = useState(0);
  const last = useRef<string>('');
  const key = JSON.stringify(deps);
  useEffect(() => {
    const abort = new AbortController();
    const fresh = last.current !== key;
    last.current = key;
    setState((old) => ({ data: fresh ? undefined : old.data, error: fresh ? null : old.error, loading: true }));
    load(abort.signal).then(
      (data) => abort.signal.aborted || setState({ data, error: null, loading: false }),
      (error) => abort.signal.aborted || setState((old) => ({ ...old, error: asApiError(error), loading: false })),
    );
    return () => abort.abort();
  }, [key, turn]);
  const reload = useCallback(() => setTurn((n) => n + 1), []);
  const set = useCallback(
    (change: (data: T) => T) => setState((old) => (old.data === undefined ? old : { ...old, data: change(old.data) })),
    [],
  );
  return { data: state.data, error: state.error, loading: state.loading, reload, set };
}

/** One request that a person started: `run` it, see whether it is `busy` and how it failed; `forget` that it failed. */
export function useAction<A extends unknown[]>(action: (...args: A) => Promise<void>) {
  const [state, setState] = useState<{ busy: boolean; error: ApiError | null }>({ busy: false, error: null });
  const busy = useRef(false);
  const run = async (...args: A) => {
    if (busy.current) return;
    busy.current = true;
    setState({ busy: true, error: null });
    try {
      await action(...args);
      setState({ busy: false, error: null });
    } catch (error) {
      setState({ busy: false, error: asApiError(error) });
    } finally {
      busy.current = false;
    }
  };
  const forget = () => setState((old) => ({ ...old, error: null }));
  return { ...state, run, forget };
}
