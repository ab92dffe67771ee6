"""Super-resolution and restoration: the tasks `upscale` and `restore`."""
