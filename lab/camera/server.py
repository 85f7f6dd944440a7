"""
Serves the pictures of all simulated cameras as H.264 over RTSP, one shared encoder a camera, running only while watched.

Started by lab/camera/video.ts: argv[1] is JSON
  [{"name", "address", "path", "fps", "keyFrameMs", "kbps", "parameterSets": "inBand"|"sdp"}]
stdin takes JSON lines, and its end is the end of this process, however the parent died:
  {"snapshot": name, "id": n} | {"label": text, "camera": name}
stdout gives JSON lines: {"ports": {name: port}} once, then {"id": n, "jpeg": base64}.
There is no login here: the front (lab/camera/rtsp-front.ts) asks for it before anything reaches this server.
"""

import base64
import json
import os
import sys
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstApp, GstRtsp, GstRtspServer  # noqa: E402, F401

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from picture import Picture  # noqa: E402


class Camera:
    def __init__(self, config: dict):
        self.name, self.fps = config["name"], config["fps"]
        self.picture = Picture(self.name)
        self.caps = f"video/x-raw,format=I420,width={self.picture.width},height={self.picture.height},framerate={self.fps}/1"
        gop = max(1, round(self.fps * config["keyFrameMs"] / 1000))
        sets = -1 if config["parameterSets"] == "inBand" else 0
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(
            f"( appsrc name=src is-live=true format=time block=false max-buffers=30 leaky-type=downstream caps={self.caps} "
            f"! x264enc speed-preset=ultrafast tune=zerolatency threads=1 sliced-threads=false bitrate={config['kbps']} "
            f"vbv-buf-capacity=1000 key-int-max={gop} bframes=0 option-string=scenecut=0:sync-lookahead=0 "
            f"! rtph264pay name=pay0 pt=96 config-interval={sets} )"
        )
        factory.set_shared(True)
        factory.set_protocols(GstRtsp.RTSPLowerTrans.TCP)
        factory.connect("media-configure", self._configure)
        self.server = GstRtspServer.RTSPServer()
        self.server.set_address(config["address"])
        self.server.set_service("0")
        self.server.get_mount_points().add_factory(config["path"], factory)
        self.source = None
        self.first = self.frames = 0

    def start(self) -> int:
        if not self.server.attach(None):
            raise SystemExit(f"{self.name}: cannot listen")
        return self.server.get_bound_port()

    def _configure(self, _factory, media) -> None:
        source = media.get_element().get_child_by_name("src")
        media.connect("unprepared", lambda _: self._stop(source))
        self.source, self.frames = source, 0
        GLib.timeout_add(1, self._tick, source)

    def _stop(self, source) -> None:
        if self.source is source:
            self.source = None

    def _tick(self, source) -> bool:
        """Pushes one frame when it is due and sets the timer for the next; time stamps are as regular as a sensor's."""
        if self.source is not source:
            return False
        now = GLib.get_monotonic_time()
        if self.frames == 0:
            self.first = now
            self.offset = source.get_current_running_time()
            # Asked before the media has its base time, it is the machine's uptime, and the pictures would wait that long.
            if self.offset > Gst.SECOND * 60:
                self.offset = 0
        # A late frame shows when it was due: exposed in time, delivered late, and key frames stay where they belong.
        late = max(0, now - self._due())
        buffer = Gst.Buffer.new_wrapped(self.picture.draw(time.time() - late / 1e6))
        buffer.pts = buffer.dts = self.offset + self.frames * Gst.SECOND // self.fps
        buffer.duration = Gst.SECOND // self.fps
        source.emit("push-buffer", buffer)
        self.frames += 1
        if late > 1_000_000:
            self.frames += late * self.fps // 1_000_000  # hopeless: leave frames out
        GLib.timeout_add(max(0, (self._due() - GLib.get_monotonic_time()) // 1000), self._tick, source)
        return False

    def _due(self) -> int:
        """When the next frame is, in microseconds of the monotonic clock."""
        return self.first + self.frames * 1_000_000 // self.fps

    def snapshot(self) -> bytes:
        line = Gst.parse_launch(f"appsrc name=src format=time caps={self.caps} ! jpegenc quality=80 ! appsink name=sink sync=false")
        line.set_state(Gst.State.PLAYING)
        source, sink = line.get_by_name("src"), line.get_by_name("sink")
        source.emit("push-buffer", Gst.Buffer.new_wrapped(self.picture.draw()))
        source.emit("end-of-stream")
        sample = sink.emit("try-pull-sample", Gst.SECOND * 2)
        data = sample.get_buffer() if sample else None
        jpeg = data.extract_dup(0, data.get_size()) if data else b""
        line.set_state(Gst.State.NULL)
        return jpeg


def say(message: dict) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def main() -> None:
    Gst.init(None)
    loop = GLib.MainLoop()
    cameras = {config["name"]: Camera(config) for config in json.loads(sys.argv[1])}

    def command(message: dict) -> None:
        if "snapshot" in message:
            say({"id": message["id"], "jpeg": base64.b64encode(cameras[message["snapshot"]].snapshot()).decode()})
        elif "label" in message:
            cameras[message["camera"]].picture.label = message["label"]

    rest = b""

    def readable(channel, _condition) -> bool:
        # Everything that has come: a line left in a buffer of Python's would wake nobody until the next one comes.
        nonlocal rest
        text = os.read(channel, 65536)
        if not text:
            loop.quit()
            return False
        *lines, rest = (rest + text).split(b"\n")
        for line in lines:
            command(json.loads(line))
        return True

    GLib.io_add_watch(sys.stdin.fileno(), GLib.PRIORITY_DEFAULT, GLib.IO_IN | GLib.IO_HUP, readable)
    say({"ports": {name: camera.start() for name, camera in cameras.items()}})
    loop.run()


if __name__ == "__main__":
    main()
