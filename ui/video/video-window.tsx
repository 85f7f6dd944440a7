import type { ComponentChildren } from 'preact';
import { t } from '../components/i18n.ts';
import { type Level, Mark } from '../components/icons.tsx';
import { usePicture } from '../components/picture.ts';

export interface VideoMessage {
  level: Level;
  title: string;
  next?: string;
  /** What a person can do about it here. */
  action?: ComponentChildren;
}
interface Props {
  /** What is seen here. */
  label: string;
  /** Nothing moves yet: the poster stands in its place. */
  covered: boolean;
  /** Address of a still picture, or a picture itself as data; null: there is none. */
  poster: string | null;
  /** Over the picture, or in its place. */
  message?: VideoMessage | null;
  /** Words at the top: by which way it comes, what was converted. */
  marks?: ComponentChildren;
  /** Buttons below. */
  tools?: ComponentChildren;
  /** Video elements; each fills the window. */
  children: ComponentChildren;
  state?: string;
  onStage?: (stage: HTMLDivElement | null) => void;
}

/** The frame of one picture that moves: live or recorded. Its place is taken at once, whatever comes when. */
export function VideoWindow(props: Props) {
  const { label, covered, poster, message, marks, tools, children, state, onStage } = props;
  const still = poster !== null && !poster.startsWith('data:');
  const picture = usePicture(still ? poster : '', still && covered);
  const failed = message && (message.level === 'problem' || message.level === 'attention' || message.level === 'info');
  const waits = covered && !failed;
  return (
    <figure tabIndex={-1} class="video-window" aria-label={label} data-state={state}>
      <div class="video-stage" ref={onStage}>
        {children}
        <div ref={picture.frame} class="absolute inset-0" hidden={!covered} aria-hidden="true">
          {covered && picture.image && <img {...picture.image} key={picture.image.src} alt="" class="video-fill" />}
          {covered && poster?.startsWith('data:') && <img src={poster} alt="" class="video-fill" />}
          {waits && <div class="video-wait" />}
        </div>
        {message && (
          <div class="video-message" role="status">
            <div>
              <p class="flex items-start gap-2 font-semibold">
                <span class="mt-1 shrink-0">
                  <Mark level={message.level} />
                </span>
                {message.title}
              </p>
              {message.next && <p class="video-next">{message.next}</p>}
              {/* In an element of its own, which a small window leaves out whatever is in it. */}
              {message.action && <div>{message.action}</div>}
            </div>
          </div>
        )}
        {waits && !message && <span class="sr-only">{t('state.loading')}</span>}
        <figcaption class="video-top">
          <span class="video-mark truncate">{label}</span>
          {marks}
        </figcaption>
      </div>
      {tools}
    </figure>
  );
}
