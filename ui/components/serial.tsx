import { useState } from 'preact/hooks';
import { t } from './i18n.ts';

/** A serial or code that is read aloud, copied and typed: fixed width, selected as a whole, with a copy button. */
export function Copyable({ text, label }: { text: string; label: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 2_000);
  };
  return (
    <span class="inline-flex items-baseline gap-2">
      <code class="mono select-all">{text}</code>
      {/* The clipboard is there on https and localhost only; the text is selectable everywhere. */}
      {globalThis.isSecureContext && (
        <button
          type="button"
          class="link small shrink-0 whitespace-nowrap"
          onClick={copy}
          aria-label={t('action.copyWhat', { what: label })}
        >
          <span role="status">{copied ? t('action.copied') : t('action.copy')}</span>
        </button>
      )}
    </span>
  );
}
