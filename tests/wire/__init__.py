"""The acceptance client of the original's API: a web site with fault switches, and a driver that lives a client's life.

Written from the specification of the original alone, never from the server's code, so that it is an independent check of it.
"""
