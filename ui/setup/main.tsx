import { render } from 'preact';
import '../styles.css';
import { language, pickLanguage, startI18n } from '../components/i18n.ts';
import { App } from './app.tsx';

const files = import.meta.glob<object>('../locales/*/{common,setup}.json', { import: 'default' });

await startI18n(
  (tag, file) => (files[`../locales/${tag}/${file}.json`] ?? files[`../locales/en/${file}.json`]!)(),
  ['common', 'setup'],
  pickLanguage(navigator.languages),
);
render(<App key={language.value} />, document.getElementById('app')!);
