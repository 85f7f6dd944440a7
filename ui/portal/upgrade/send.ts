import { ApiError } from '../../components/http.ts';

/** Sends a file to the address that it was given, and tells how far it is; large files go past the API. */
export function sendFile(url: string, file: File, onPercent: (percent: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    // fetch does not tell how far an upload is.
    const request = new XMLHttpRequest();
    request.open('PUT', url);
    request.upload.onprogress = ({ loaded, total }) => onPercent(total > 0 ? Math.floor((loaded / total) * 100) : 0);
    request.onerror = () => reject(new ApiError('network', 0));
    request.onload = () => {
      if (request.status === 200) return resolve();
      let problem: { code?: string; detail?: string } = {};
      try {
        problem = JSON.parse(request.responseText);
      } catch {
        // Something in between answered.
      }
      reject(new ApiError(problem.code ?? `http-${request.status}`, request.status, problem));
    };
    request.send(file);
  });
}
