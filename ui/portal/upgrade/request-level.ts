import type { PasswordRequest } from '../../../protocol/wire/password-request.ts';
import type { Level } from '../../components/icons.tsx';

export const REQUEST_LEVEL: Record<PasswordRequest['state'], Level> = {
  open: 'attention',
  done: 'well',
  refused: 'info',
};
