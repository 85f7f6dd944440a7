import { render } from 'preact';
import '../styles.css';
import { pickLanguage, startI18n } from '../components/i18n.ts';
import { App } from './app.tsx';
import { storedLanguage } from './language.tsx';
import { loadStrings } from './strings.ts';
import { installWorker } from './update.tsx';

// Not awaited: pages that are fetched later may wait for this module.
startI18n(loadStrings, ['common', 'portal', 'problems'], pickLanguage([storedLanguage(), ...navigator.languages])).then(
  () => {
    render(<App />, document.getElementById('app')!);
    installWorker();
  },
);
