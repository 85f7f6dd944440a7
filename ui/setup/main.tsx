import { render } from 'preact';
import '../styles.css';
import { startI18n } from '../components/i18n.ts';
import common from '../locales/en/common.json' with { type: 'json' };
import setup from '../locales/en/setup.json' with { type: 'json' };
import { App } from './app.tsx';

await startI18n([common, setup]);
render(<App />, document.getElementById('app')!);
