#!/usr/bin/python3
"""A camera for tests: live H.264, H.265 or MJPEG, with sound if asked for, from gst-rtsp-server with digest authentication.

Argument: JSON {codec, sound, keyFrames, fps, width, height, kbps, user, password, udpOnly, address}; keyFrames is the distance
in frames. Prints JSON lines: {"port"} first, then {"event": "connect" | "close" | "describe" | "play" | "teardown"}.
Ends with its standard input.
"""
import json
import sys

import gi

gi.require_version('Gst', '1.0')
gi.require_version('GstRtsp', '1.0')
gi.require_version('GstRtspServer', '1.0')
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

options = {
    'codec': 'h264', 'keyFrames': 25, 'fps': 25, 'width': 320, 'height': 240, 'kbps': 300,
    'sound': None, 'user': None, 'password': None, 'udpOnly': False, 'address': '127.0.0.1',
    **json.loads(sys.argv[1] if len(sys.argv) > 1 else '{}'),
}


def say(**line):
    print(json.dumps(line), flush=True)


Gst.init(None)
encoder = {
    'h264': 'x264enc tune=zerolatency speed-preset=ultrafast key-int-max={keyFrames} bitrate={kbps} '
            'option-string=scenecut=0:nal-hrd={hrd} ! video/x-h264,profile=main ! rtph264pay name=pay0 pt=96 config-interval=0',
    'h265': 'x265enc tune=zerolatency speed-preset=ultrafast key-int-max={keyFrames} bitrate={kbps} '
            'option-string=scenecut=0 ! rtph265pay name=pay0 pt=96 config-interval=0',
    'mjpeg': 'jpegenc ! rtpjpegpay name=pay0 pt=26',
}[options['codec']]
source = ('videotestsrc is-live=true pattern={pattern} ! video/x-raw,width={width},height={height},'
          'framerate={fps}/1,format=I420 ! ')
# Noise reaches the bit rate asked for; the usual pattern compresses to next to nothing.
noisy = options['kbps'] >= 1000
microphone = ' audiotestsrc is-live=true wave=sine freq=1000 samplesperbuffer=320 ! '
launch = '( ' + (source + encoder).format(
    pattern='snow' if noisy else 'ball', hrd='cbr' if noisy else 'none', **options) + {
    None: '',
    'pcmu': microphone + 'audio/x-raw,rate=8000,channels=1 ! mulawenc ! rtppcmupay name=pay1 pt=0',
    'pcma': microphone + 'audio/x-raw,rate=8000,channels=1 ! alawenc ! rtppcmapay name=pay1 pt=8',
    'aac': microphone + 'audio/x-raw,rate=16000,channels=1 ! voaacenc bitrate=32000 ! rtpmp4gpay name=pay1 pt=97',
}[options['sound']] + ' )'

server = GstRtspServer.RTSPServer()
server.set_address(options['address'])
server.set_service('0')
factory = GstRtspServer.RTSPMediaFactory()
factory.set_launch(launch)
factory.set_shared(True)
factory.set_protocols(GstRtsp.RTSPLowerTrans.UDP if options['udpOnly'] else GstRtsp.RTSPLowerTrans.TCP)
if options['user']:
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    token = GstRtspServer.RTSPToken()
    token.set_string('media.factory.role', 'viewer')
    auth.add_digest(options['user'], options['password'], token)
    server.set_auth(auth)
    factory.add_role_from_structure(Gst.Structure.new_from_string(
        'viewer,media.factory.access=true,media.factory.construct=true'))
server.get_mount_points().add_factory('/Streaming/Channels/101', factory)


def connected(_server, client):
    say(event='connect')
    client.connect('describe-request', lambda *_: say(event='describe'))
    client.connect('play-request', lambda *_: say(event='play'))
    client.connect('teardown-request', lambda *_: say(event='teardown'))
    client.connect('closed', lambda *_: say(event='close'))


server.connect('client-connected', connected)
server.attach(None)
say(port=server.get_bound_port())
loop = GLib.MainLoop()
GLib.io_add_watch(sys.stdin.fileno(), GLib.IO_HUP | GLib.IO_IN, lambda *_: loop.quit())
loop.run()
