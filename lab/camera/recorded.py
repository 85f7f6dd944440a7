"""
Pictures of the past, drawn and encoded when somebody plays them (lab/camera/recorded-session.ts).

argv[1] is JSON {"name", "fps", "keyFrameMs", "kbps", "codec": "h264"|"h265", "keysOnly", "spans": [[fromMs, toMs], ...]}. stdout gives, as fast as it is
read, one record a picture: time (Unix ms, u64), 1 for a key frame or 0 (u8), length (u32), NAL units with start codes.
"""

import json
import os
import struct
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
from gi.repository import Gst, GstApp  # noqa: E402, F401

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from picture import Picture  # noqa: E402


ENCODER = {
    "h264": "x264enc speed-preset=ultrafast tune=zerolatency threads=1 sliced-threads=false bframes=0 "
    "option-string=scenecut=0:sync-lookahead=0",
    "h265": "x265enc speed-preset=ultrafast tune=zerolatency option-string=scenecut=0:pools=1:frame-threads=1",
}


def play(config: dict, picture: Picture, start: float, end: float) -> None:
    fps = config["fps"]
    gop = max(1, round(fps * config["keyFrameMs"] / 1000))
    # Of fast playback only key frames are sent.
    step = gop if config["keysOnly"] else 1
    line = Gst.parse_launch(
        f"appsrc name=src format=time caps=video/x-raw,format=I420,width={picture.width},height={picture.height},framerate={fps}/1 "
        f"! {ENCODER[config['codec']]} bitrate={config['kbps']} key-int-max={1 if config['keysOnly'] else gop} "
        f"! video/x-{config['codec']},stream-format=byte-stream,alignment=au ! appsink name=sink sync=false max-buffers=2"
    )
    line.set_state(Gst.State.PLAYING)
    source, sink = line.get_by_name("src"), line.get_by_name("sink")
    frame = 0
    while start + frame * 1000 / fps < end:
        ms = start + frame * 1000 / fps
        buffer = Gst.Buffer.new_wrapped(picture.draw(ms / 1000))
        buffer.pts = buffer.dts = frame * Gst.SECOND // fps
        buffer.duration = Gst.SECOND // fps
        source.emit("push-buffer", buffer)
        sample = sink.emit("pull-sample")
        if sample is None:
            break
        coded = sample.get_buffer()
        data = coded.extract_dup(0, coded.get_size())
        key = not coded.has_flags(Gst.BufferFlags.DELTA_UNIT)
        sys.stdout.buffer.write(struct.pack(">QBI", int(ms), key, len(data)) + data)
        sys.stdout.buffer.flush()
        frame += step
    line.set_state(Gst.State.NULL)


def main() -> None:
    Gst.init(None)
    config = json.loads(sys.argv[1])
    picture = Picture(config["name"])
    for start, end in config["spans"]:
        play(config, picture, start, end)


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:
        os._exit(0)
