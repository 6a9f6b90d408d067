"""Models that were made to follow a picture, which their denoiser reads beside the latents."""

from tests.nodes.diffusion.tiny import dits, videos


def _widened(parts, times):
    """The same with a denoiser that reads so many times as many channels as it predicts."""
    old = parts["transformer"]
    channels = old.config.in_channels
    sizes = {name: value for name, value in old.config.items() if not name.startswith("_")}
    wide = type(old)(**{**sizes, "in_channels": times * channels, "out_channels": channels})
    return {**parts, "transformer": wide}


def flux():
    return _widened(dits.flux(), 2)


def cogview4():
    return _widened(dits.cogview4(), 2)


def cogvideox():
    return _widened(videos.cogvideox(), 2)


def easyanimate():
    """Beside the picture to follow there is room for a first frame."""
    return _widened(videos.easyanimate(), 3)
