import { ApiError } from './http.ts';

/** What went wrong with the secret of a link; one that the API cannot even read was cut off on its way. */
export const linkError = (error: ApiError | null): ApiError | null =>
  error?.code === 'invalid-request' ? new ApiError('link-incomplete', 400) : error;
