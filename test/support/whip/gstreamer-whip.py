"""Publishes one colour (VP8) and a tone (Opus) by WHIP with GStreamer's webrtcbin, until it is terminated.

Debian 12 has neither whipsink nor whipclientsink. Usage: gstreamer-whip.py URL COLOUR TONE_HZ WIDTH HEIGHT, the stream key being part of the URL.
"""

import signal
import sys
import urllib.parse
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

PIPELINE = """
webrtcbin name=out bundle-policy=max-bundle
videotestsrc is-live=true pattern=solid-color foreground-color={colour}
  ! video/x-raw,format=I420,width={width},height={height},framerate=30/1
  ! vp8enc deadline=1 cpu-used=8 target-bitrate=600000 keyframe-max-dist=60 error-resilient=default
  ! rtpvp8pay pt=96 mtu=1200 picture-id-mode=15-bit ! queue ! application/x-rtp,media=video,encoding-name=VP8,payload=96 ! out.
audiotestsrc is-live=true wave=sine freq={tone} volume=0.3 samplesperbuffer=960
  ! audio/x-raw,rate=48000,channels=2 ! audioconvert ! opusenc bitrate=64000
  ! rtpopuspay pt=97 ! queue ! application/x-rtp,media=audio,encoding-name=OPUS,payload=97 ! out.
"""


def post(url, offer):
    request = urllib.request.Request(url, offer.encode(), {"Content-Type": "application/sdp"}, method="POST")
    with urllib.request.urlopen(request, timeout=30) as response:
        session = urllib.parse.urljoin(url, response.headers["Location"])
        return response.read().decode(), session


def main():
    url, colour, tone, width, height = sys.argv[1:6]
    Gst.init(None)
    pipeline = Gst.parse_launch(PIPELINE.format(colour=colour, tone=tone, width=width, height=height))
    out = pipeline.get_by_name("out")
    loop = GLib.MainLoop()
    session = None

    def negotiate():
        nonlocal session
        answer, session = post(url, out.get_property("local-description").sdp.as_text())
        _, message = GstSdp.SDPMessage.new_from_text(answer)
        description = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        out.emit("set-remote-description", description, Gst.Promise.new())

    def on_gathered(element, _property):
        # Not here, which would keep webrtcbin waiting.
        if element.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            GLib.idle_add(negotiate)

    def on_offer(promise):
        promise.wait()
        # Held by a name: the offer is part of it.
        reply = promise.get_reply()
        offer = reply.get_value("offer")
        out.emit("set-local-description", offer, Gst.Promise.new())

    def on_negotiation_needed(element):
        element.emit("create-offer", None, Gst.Promise.new_with_change_func(on_offer))

    for transceiver in (out.emit("get-transceiver", index) for index in range(2)):
        if transceiver is not None:
            transceiver.set_property("direction", GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY)
    out.connect("on-negotiation-needed", on_negotiation_needed)
    out.connect("notify::ice-gathering-state", on_gathered)
    for number in (signal.SIGTERM, signal.SIGINT):
        GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, number, loop.quit)
    pipeline.set_state(Gst.State.PLAYING)
    loop.run()
    if session:
        urllib.request.urlopen(urllib.request.Request(session, method="DELETE"), timeout=10).close()
    pipeline.set_state(Gst.State.NULL)


main()
