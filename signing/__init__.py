"""Seals, signatures and time-stamps: making them, and checking them offline.

A leaf package: it knows nothing of the archive, and reaches the network only through a transport that is
passed in.
"""
