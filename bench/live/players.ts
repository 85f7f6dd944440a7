/* What the page of the bench gets of the portal. */
export { MediaSocket, socketAddress } from '../../ui/video/media-socket.ts';
export { MsePlayer } from '../../ui/video/mse-player.ts';
export { WebRtcPlayer } from '../../ui/video/web-rtc-player.ts';
