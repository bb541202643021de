"""The folder for `sys.path` that holds the package `mmcv` of 1.x."""
