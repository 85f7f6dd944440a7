import { render } from 'preact';
import '../styles.css';
import { pickLanguage, startI18n } from '../components/i18n.ts';
import { needSentences } from '../components/say.ts';
import { App } from './app.tsx';
import { openEarly } from './early.ts';
import { storedLanguage } from './language.tsx';
import { loadStrings } from './strings.ts';
import { installWorker } from './update.tsx';

const language = pickLanguage([storedLanguage(), ...navigator.languages]);
const strings = startI18n(loadStrings, ['common', 'portal', 'problems'], language);
openEarly(location.pathname);
// Not awaited: pages that are fetched later may wait for this module.
strings.then(() => {
  render(<App />, document.getElementById('app')!);
  installWorker();
  void needSentences();
});
