"""Adapters earn what the ports promise, each against one real part."""
