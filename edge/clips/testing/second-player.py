"""A player that has nothing of ffmpeg: GStreamer with openh264, libde265 and faad. Decodes all of a file and prints JSON of
what came out: {"video": [buffers, end in ms], "audio": [buffers, end in ms]}. Argument: the file."""

import json
import sys

import gi

gi.require_version('Gst', '1.0')
from gi.repository import Gst  # noqa: E402

Gst.init(None)
for feature in Gst.Registry.get().get_feature_list_by_plugin('libav'):
    feature.set_rank(Gst.Rank.NONE)
played = {}
pipeline = Gst.parse_launch(f'filesrc location="{sys.argv[1]}" ! decodebin name=decoder')


def linked(_, pad):
    kind = pad.get_current_caps().get_structure(0).get_name().split('/')[0]
    sink = Gst.ElementFactory.make('fakesink')
    sink.set_property('sync', False)
    sink.set_property('signal-handoffs', True)
    played[kind] = [0, 0]

    def handoff(_sink, buffer, _pad):
        played[kind][0] += 1
        played[kind][1] = (buffer.pts + max(0, buffer.duration if buffer.duration < 2**63 else 0)) / 1e6

    sink.connect('handoff', handoff)
    pipeline.add(sink)
    sink.sync_state_with_parent()
    pad.link(sink.get_static_pad('sink'))


pipeline.get_by_name('decoder').connect('pad-added', linked)
pipeline.set_state(Gst.State.PLAYING)
message = pipeline.get_bus().timed_pop_filtered(20 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
pipeline.set_state(Gst.State.NULL)
if message is None or message.type == Gst.MessageType.ERROR:
    sys.exit(str(message.parse_error()) if message else 'it did not come to an end')
print(json.dumps(played))
