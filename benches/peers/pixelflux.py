"""pixelflux as a contestant of `stratus-bench peers`: its own compositor, no network.

Prints the name of its Wayland socket and an end of line; then, for each frame, its length in four
bytes, the most significant first, and an access unit of H.264. Ends with its input.

Arguments: width and height in pixels, frames a second, bits a second.
"""

import os
import sys

# What pixelflux prints goes elsewhere.
out = os.dup(sys.stdout.fileno())
os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

import pixelflux  # noqa: E402

width, height, rate, bitrate = map(int, sys.argv[1:5])


def write(data):
    data = memoryview(data)
    while data:
        data = data[os.write(out, data) :]


def show(frame):
    if len(frame):
        # One write of both parts, as one wake-up of who reads costs less than two.
        write(len(frame).to_bytes(4, "big") + bytes(frame))


settings = pixelflux.CaptureSettings()
settings.use_wayland = True
settings.use_cpu = True
settings.capture_width = width
settings.capture_height = height
settings.target_fps = float(rate)
settings.codec = "h264"
settings.video_fullframe = True
settings.video_streaming_mode = True
settings.video_cbr_mode = True
settings.video_bitrate_kbps = bitrate // 1000
settings.omit_stripe_headers = True

name = pixelflux.ensure_wayland_display()
capture = pixelflux.ScreenCapture()
write((name + "\n").encode())
# The reader has the name before the first frame: the capture begins with its answer.
sys.stdin.buffer.readline()
capture.start_capture(show, settings)
sys.stdin.buffer.read()
capture.stop_capture()
