#!/usr/bin/python3
"""A recorder of its own kind: gst-rtsp-server's ONVIF server with rtponviftimestamp, replaying pictures with a clock in them.

Argument: JSON {pictures, name, fromMs, toMs, fps, width, height, user, password}; pictures is the folder of picture.py. Prints
{"port"}, then {"play": {"scale", "rate_control", "frames", "range"}} for each PLAY. Ends with its standard input.
"""
import json
import sys

import gi

gi.require_version('Gst', '1.0')
gi.require_version('GstRtsp', '1.0')
gi.require_version('GstRtspServer', '1.0')
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

options = json.loads(sys.argv[1])
sys.path.insert(0, options['pictures'])
from picture import Picture  # noqa: E402

# Its pipeline runs on NTP time: from 1900.
NTP_NS = 2_208_988_800 * Gst.SECOND
fps = options['fps']
picture = Picture(options['name'])


def say(**line):
    print(json.dumps(line), flush=True)


def ns(ms):
    return NTP_NS + ms * Gst.MSECOND


class Reel:
    """Draws from wherever it is sought to."""

    def __init__(self, source):
        self.at = options['fromMs']
        source.connect('seek-data', self.seek)
        source.connect('need-data', self.need)

    def seek(self, _source, position):
        step = 1000 / fps
        begun = max(0, (position - NTP_NS) / Gst.MSECOND - options['fromMs'])
        self.at = options['fromMs'] + int(begun / step) * step
        return True

    def need(self, source, _bytes):
        if self.at >= options['toMs']:
            source.emit('end-of-stream')
            return
        buffer = Gst.Buffer.new_wrapped(picture.draw(self.at / 1000))
        buffer.pts = buffer.dts = ns(int(self.at))
        buffer.duration = Gst.SECOND // fps
        self.at += 1000 / fps
        source.emit('push-buffer', buffer)


Gst.init(None)
launch = (
    f'( appsrc name=src format=time stream-type=seekable caps=video/x-raw,format=I420,width={picture.width},'
    f'height={picture.height},framerate={fps}/1 ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max={fps} '
    'option-string=scenecut=0 ! video/x-h264,profile=main ! rtph264pay pt=96 config-interval=-1 '
    '! rtponviftimestamp name=pay0 ntp-offset=0 set-e-bit=true set-t-bit=true )'
)
reels = []


def configured(_factory, media):
    source = media.get_element().get_by_name_recurse_up('src')
    source.set_property('duration', ns(options['toMs']))
    reels.append(Reel(source))


server = GstRtspServer.RTSPOnvifServer.new()
server.set_address('127.0.0.1')
server.set_service('0')
factory = GstRtspServer.RTSPOnvifMediaFactory.new()
factory.set_launch(launch)
factory.set_media_gtype(GstRtspServer.RTSPOnvifMedia)
factory.set_protocols(GstRtsp.RTSPLowerTrans.TCP)
factory.connect('media-configure', configured)
auth = GstRtspServer.RTSPAuth()
auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
token = GstRtspServer.RTSPToken()
token.set_string('media.factory.role', 'viewer')
auth.add_digest(options['user'], options['password'], token)
server.set_auth(auth)
factory.add_role_from_structure(
    Gst.Structure.new_from_string('viewer,media.factory.access=true,media.factory.construct=true')
)
server.get_mount_points().add_factory('/onvif/replay/Recording_1', factory)


def played(_client, context):
    found = {}
    for name in ('scale', 'rate_control', 'frames', 'range'):
        result, value = context.request.get_header(getattr(GstRtsp.RTSPHeaderField, name.upper()), 0)
        found[name] = value if result == GstRtsp.RTSPResult.OK else None
    say(play=found)


server.connect('client-connected', lambda _server, client: client.connect('play-request', played))
server.attach(None)
say(port=server.get_bound_port())
loop = GLib.MainLoop()
GLib.io_add_watch(sys.stdin.fileno(), GLib.IO_HUP | GLib.IO_IN, lambda *_: loop.quit())
loop.run()
