/** Tables of this folder, part of the relay's Database. */
export interface PanelTables {
  /** The camera that shows what a radar tells of: one a radar. It counts while both are at the same site. */
  radar_cameras: {
    radarId: string;
    cameraId: string;
    channel: number;
    createdMs: number;
  };
}
