/** The part of an independent client that tests use; it comes without types. */
declare module 'hikvision-isapi' {
  export class HikvisionClient {
    constructor(o: { host: string; username: string; password: string; timeout?: number });
    readonly device: {
      getInfo(): Promise<Record<string, string>>;
      getCapabilities(): Promise<Record<string, unknown>>;
    };
    readonly accessControl: {
      remoteControlDoor(door: number, command: string): Promise<{ ResponseStatus: Record<string, string> }>;
    };
  }
}
