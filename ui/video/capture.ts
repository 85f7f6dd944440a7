/** What is on the screen as a picture, in the size that the camera sent; null while there is none. */
export function capture(
  video: HTMLVideoElement,
  type: 'image/jpeg' | 'image/png' = 'image/jpeg',
): Promise<Blob | null> {
  const { videoWidth: width, videoHeight: height } = video;
  if (width === 0 || height === 0) return Promise.resolve(null);
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  canvas.getContext('2d')!.drawImage(video, 0, 0, width, height);
  return new Promise((resolve) => canvas.toBlob(resolve, type, 0.92));
}

/** Gives a file to the person. */
export function save(file: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  // After the browser has begun to write it.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** `Yard-2026-11-23T02-48-14.mp4`: a name that every file system takes. */
export function fileName(of: string, atMs: number, ending: string): string {
  const name = of.replaceAll(/[^\p{L}\p{N}._-]+/gu, '-').replace(/^-+|-+$/g, '') || 'video';
  return `${name}-${new Date(atMs).toISOString().slice(0, 19).replaceAll(':', '-')}.${ending}`;
}
