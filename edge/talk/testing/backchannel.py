#!/usr/bin/python3
"""A camera of its own kind: gst-rtsp-server's ONVIF server, which hears what comes by the way back.

Argument: JSON {user, password, law: "pcmu"|"pcma"}. Prints {"port"}, then {"heard": base64} of 16-bit linear sound at 8 kHz every
200 ms while there is some, and {"event": "play"|"teardown"}. Ends with its standard input.
"""
import base64
import json
import sys

import gi

gi.require_version('Gst', '1.0')
gi.require_version('GstApp', '1.0')
gi.require_version('GstRtsp', '1.0')
gi.require_version('GstRtspServer', '1.0')
from gi.repository import GLib, Gst, GstApp, GstRtsp, GstRtspServer  # noqa: E402, F401

options = json.loads(sys.argv[1])
payload, name, depay, decode = {
    'pcmu': (0, 'PCMU', 'rtppcmudepay', 'mulawdec'),
    'pcma': (8, 'PCMA', 'rtppcmadepay', 'alawdec'),
}[options['law']]


def say(**line):
    print(json.dumps(line), flush=True)


Gst.init(None)
server = GstRtspServer.RTSPOnvifServer.new()
server.set_address('127.0.0.1')
server.set_service('0')
factory = GstRtspServer.RTSPOnvifMediaFactory.new()
factory.set_media_gtype(GstRtspServer.RTSPOnvifMedia)
factory.set_protocols(GstRtsp.RTSPLowerTrans.TCP)
factory.set_launch(
    '( videotestsrc is-live=true ! video/x-raw,width=320,height=240,framerate=5/1 ! x264enc tune=zerolatency '
    'speed-preset=ultrafast ! rtph264pay name=pay0 pt=96 )'
)
factory.set_backchannel_launch(
    f'( capsfilter caps="application/x-rtp,media=audio,payload={payload},clock-rate=8000,encoding-name={name}" '
    f'name=depay_backchannel ! {depay} ! {decode} ! appsink name=ear sync=false async=false )'
)
heard = bytearray()


def hear(ear):
    buffer = ear.emit('pull-sample').get_buffer()
    heard.extend(buffer.extract_dup(0, buffer.get_size()))
    return Gst.FlowReturn.OK


def configured(_factory, media):
    ear = media.get_element().get_by_name_recurse_up('ear') or media.get_element().get_parent().get_by_name('ear')
    ear.set_property('emit-signals', True)
    ear.connect('new-sample', hear)


def tell():
    global heard
    if heard:
        said, heard = heard, bytearray()
        say(heard=base64.b64encode(said).decode())
    return True


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
server.get_mount_points().add_factory('/live', factory)


def connected(_server, client):
    client.connect('play-request', lambda *_: say(event='play'))
    client.connect('teardown-request', lambda *_: say(event='teardown'))


server.connect('client-connected', connected)
server.attach(None)
say(port=server.get_bound_port())
GLib.timeout_add(200, tell)
loop = GLib.MainLoop()
GLib.io_add_watch(sys.stdin.fileno(), GLib.IO_HUP | GLib.IO_IN, lambda *_: loop.quit())
loop.run()
