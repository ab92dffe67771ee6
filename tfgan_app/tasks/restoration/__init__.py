"""Images that were made worse, and the way back: `upscale` and `restore`."""
