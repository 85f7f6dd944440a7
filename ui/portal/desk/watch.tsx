import type { FunctionComponent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { needStrings } from '../../components/i18n.ts';

/** Listens for a centre's people on every page; fetched for them alone. */
export function DeskOnEveryPage() {
  const [Watch, setWatch] = useState<FunctionComponent | null>(null);
  useEffect(() => {
    let gone = false;
    // The desk's own page says what is wrong when the portal cannot be reached.
    Promise.all([import('./sound-bar.tsx'), needStrings(['desk', 'site'])]).then(
      ([{ DeskWatch }]) => gone || setWatch(() => DeskWatch),
      () => {},
    );
    return () => {
      gone = true;
    };
  }, []);
  return Watch && <Watch />;
}
