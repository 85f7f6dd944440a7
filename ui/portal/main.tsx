import { render } from 'preact';
import '../styles.css';
import { startI18n } from '../components/i18n.ts';
import common from '../locales/en/common.json' with { type: 'json' };
import portal from '../locales/en/portal.json' with { type: 'json' };
import { App } from './app.tsx';

await startI18n([common, portal]);
render(<App />, document.getElementById('app')!);
