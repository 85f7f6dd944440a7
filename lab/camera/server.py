"""
Serves the pictures and sound of all simulated cameras over RTSP: a main stream of 1280 x 720 and a sub-stream of 640 x 360
(H.264 in any case), one shared encoder a stream, running only while watched.

Started by lab/camera/video.ts: argv[1] is JSON
  [{"name", "address", "path", "fps", "keyFrameMs", "kbps", "parameterSets": "inBand"|"sdp", "sub": bool,
    "codec": "h264"|"h265"|"mjpeg", "audio": "none"|"pcmu"|"pcma"|"aac"}]
path is that of the main stream without its last digit. stdin takes JSON lines, and its end is the end of this process,
however the parent died:
  {"snapshot": name, "id": n} | {"label": text, "camera": name} | {"camera": name, "set": {"keyFrameMs"|"codec"|"audio"}}
keyFrameMs counts at once, codec and audio for whoever connects from then on.
stdout gives JSON lines: {"ports": {name: port}} once, then {"id": n, "jpeg": base64}.
There is no login here: the front (lab/camera/rtsp-front.ts) asks for it before anything reaches this server.
"""

import base64
import json
import math
import os
import struct
import sys
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
gi.require_version("GstVideo", "1.0")
from gi.repository import GLib, Gst, GstApp, GstRtsp, GstRtspServer, GstVideo  # noqa: E402, F401

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from picture import Picture  # noqa: E402


SUB_WIDTH, SUB_HEIGHT, SUB_KBPS, SUB_FPS = 640, 360, 400, 15
SOUND_MS = 40
# What a microphone hears: a tone of 1 kHz in the first tenth of every second of the wall clock.
BEEP_MS = 100

VIDEO = {
    "h264": "x264enc name=enc speed-preset=ultrafast tune=zerolatency threads=1 sliced-threads=false bitrate={kbps} "
    "vbv-buf-capacity=1000 key-int-max=100000 bframes=0 option-string=scenecut=0:sync-lookahead=0 "
    "! rtph264pay name=pay0 pt=96 config-interval={sets}",
    "h265": "x265enc name=enc speed-preset=ultrafast tune=zerolatency bitrate={kbps} key-int-max=100000 "
    "option-string=scenecut=0:pools=1:frame-threads=1 ! rtph265pay name=pay0 pt=96 config-interval={sets}",
    "mjpeg": "jpegenc name=enc quality=60 ! rtpjpegpay name=pay0 pt=26",
}
SOUND = {
    "pcmu": (8000, "mulawenc ! rtppcmupay name=pay1 pt=0"),
    "pcma": (8000, "alawenc ! rtppcmapay name=pay1 pt=8"),
    "aac": (16000, "voaacenc bitrate=32000 ! rtpmp4gpay name=pay1 pt=97"),
}


class Stream:
    """One stream of a camera: its encoder runs while somebody watches it."""

    def __init__(self, server, path: str, config: dict, sub: bool):
        self.sub = sub
        self.fps = min(config["fps"], SUB_FPS) if sub else config["fps"]
        self.kbps = SUB_KBPS if sub else config["kbps"]
        self.config = config
        self.picture = Picture(config["name"], SUB_WIDTH, SUB_HEIGHT) if sub else Picture(config["name"])
        width, height = self.picture.width, self.picture.height
        self.caps = f"video/x-raw,format=I420,width={width},height={height},framerate={self.fps}/1"
        self.factory = GstRtspServer.RTSPMediaFactory()
        self.factory.set_shared(True)
        self.factory.set_protocols(GstRtsp.RTSPLowerTrans.TCP)
        self.factory.connect("media-configure", self._configure)
        server.get_mount_points().add_factory(path, self.factory)
        self.source = None
        self.first = self.frames = self.since_key = self.sounds = 0
        self.build()

    def build(self) -> None:
        """What whoever connects from now on gets."""
        codec = "h264" if self.sub else self.config["codec"]
        sets = -1 if self.config["parameterSets"] == "inBand" else 0
        launch = (
            f"( appsrc name=src is-live=true format=time block=false max-buffers=30 leaky-type=downstream caps={self.caps} ! "
            + VIDEO[codec].format(kbps=self.kbps, sets=sets)
        )
        self.rate = 0
        if self.config["audio"] in SOUND:
            self.rate, encode = SOUND[self.config["audio"]]
            launch += (
                " appsrc name=mic is-live=true format=time block=false max-buffers=30 leaky-type=downstream "
                f"caps=audio/x-raw,format=S16LE,layout=interleaved,channels=1,rate={self.rate} ! {encode}"
            )
            tone = (int(12000 * math.sin(2 * math.pi * 1000 * n / self.rate)) for n in range(self.rate * BEEP_MS // 1000))
            second = struct.pack(f"<{self.rate * BEEP_MS // 1000}h", *tone).ljust(self.rate * 2, b"\0")
            self.heard = second + second
        self.factory.set_launch(launch + " )")

    def _configure(self, _factory, media) -> None:
        element = media.get_element()
        source, microphone = element.get_child_by_name("src"), element.get_child_by_name("mic")
        media.connect("unprepared", lambda _: self._stop(source))
        self.source, self.frames, self.sounds = source, 0, 0
        GLib.timeout_add(1, self._tick, source)
        if microphone is not None:
            # Those of now: another sound may be set while this one is heard.
            GLib.timeout_add(1, self._hear, source, microphone, self.rate, self.heard)

    def _stop(self, source) -> None:
        if self.source is source:
            self.source = None

    def _tick(self, source) -> bool:
        """Pushes one frame when it is due and sets the timer for the next; time stamps are as regular as a sensor's."""
        if self.source is not source:
            return False
        now = GLib.get_monotonic_time()
        if self.frames == 0:
            self.first, self.since_key = now, 0
            self.offset = self._running_time(source)
        # A late frame shows when it was due: exposed in time, delivered late, and key frames stay where they belong.
        late = max(0, now - self._due())
        buffer = Gst.Buffer.new_wrapped(self.picture.draw(time.time() - late / 1e6))
        buffer.pts = buffer.dts = self.offset + self.frames * Gst.SECOND // self.fps
        buffer.duration = Gst.SECOND // self.fps
        if self.since_key >= max(1, round(self.fps * self.config["keyFrameMs"] / 1000)):
            none = Gst.CLOCK_TIME_NONE
            source.send_event(GstVideo.video_event_new_downstream_force_key_unit(none, none, none, True, 1))
            self.since_key = 0
        self.since_key += 1
        source.emit("push-buffer", buffer)
        self.frames += 1
        if late > 1_000_000:
            self.frames += late * self.fps // 1_000_000  # hopeless: leave frames out
        GLib.timeout_add(max(0, (self._due() - GLib.get_monotonic_time()) // 1000), self._tick, source)
        return False

    def _running_time(self, source) -> int:
        at = source.get_current_running_time()
        # Asked before the media has its base time, it is the machine's uptime, and the pictures would wait that long.
        return 0 if at > Gst.SECOND * 60 else at

    def _hear(self, source, microphone, rate: int, heard: bytes) -> bool:
        """Pushes the sound up to now, in pieces that a microphone would deliver."""
        if self.source is not source:
            return False
        now = GLib.get_monotonic_time()
        if self.sounds == 0:
            self.heard_from, self.heard_wall = now, time.time_ns() // 1_000_000
            self.heard_offset = self._running_time(source)
        while self.heard_from + self.sounds * SOUND_MS * 1000 <= now:
            from_ms = (self.heard_wall + self.sounds * SOUND_MS) % 1000
            start, size = from_ms * rate // 1000 * 2, SOUND_MS * rate // 1000 * 2
            buffer = Gst.Buffer.new_wrapped(heard[start : start + size])
            buffer.pts = buffer.dts = self.heard_offset + self.sounds * SOUND_MS * Gst.MSECOND
            buffer.duration = SOUND_MS * Gst.MSECOND
            microphone.emit("push-buffer", buffer)
            self.sounds += 1
        GLib.timeout_add(SOUND_MS, self._hear, source, microphone, rate, heard)
        return False

    def _due(self) -> int:
        """When the next frame is, in microseconds of the monotonic clock."""
        return self.first + self.frames * 1_000_000 // self.fps


class Camera:
    def __init__(self, config: dict):
        self.name, self.config = config["name"], config
        self.server = GstRtspServer.RTSPServer()
        self.server.set_address(config["address"])
        self.server.set_service("0")
        self.streams = [Stream(self.server, config["path"] + n, config, n == "2") for n in ("1", "2" if config["sub"] else "") if n]

    def start(self) -> int:
        if not self.server.attach(None):
            raise SystemExit(f"{self.name}: cannot listen")
        return self.server.get_bound_port()

    def label(self, text: str) -> None:
        for stream in self.streams:
            stream.picture.label = text

    def set(self, wanted: dict) -> None:
        self.config.update(wanted)
        for stream in self.streams:
            stream.build()

    def snapshot(self) -> bytes:
        main = self.streams[0]
        line = Gst.parse_launch(f"appsrc name=src format=time caps={main.caps} ! jpegenc quality=80 ! appsink name=sink sync=false")
        line.set_state(Gst.State.PLAYING)
        source, sink = line.get_by_name("src"), line.get_by_name("sink")
        source.emit("push-buffer", Gst.Buffer.new_wrapped(main.picture.draw()))
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
            cameras[message["camera"]].label(message["label"])
        elif "set" in message:
            cameras[message["camera"]].set(message["set"])

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
