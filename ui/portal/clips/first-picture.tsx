interface Props {
  clipId: string;
  class: string;
  onThere?: () => void;
  onError?: () => void;
}

const posterOf = (clipId: string) => `/api/v1/clips/${clipId}/poster`;

/** A clip's first picture, which the relay gives as a file of one picture. Decorative: what it is of stands beside it. */
export function FirstPicture({ clipId, class: className, onThere, onError }: Props) {
  return (
    <video
      class={className}
      src={`${posterOf(clipId)}#t=0.001`}
      muted
      playsInline
      preload="auto"
      disablePictureInPicture
      tabIndex={-1}
      aria-hidden="true"
      onLoadedData={onThere}
      onError={onError}
    />
  );
}

/** Whether it is not shown because its device asks for a code; a video element does not say why. */
export async function isLocked(clipId: string): Promise<boolean> {
  const answer = await fetch(posterOf(clipId)).catch(() => null);
  if (answer?.status !== 403) return false;
  const said = (await answer.json().catch(() => null)) as { code?: string } | null;
  return said?.code === 'verification-code-needed';
}
