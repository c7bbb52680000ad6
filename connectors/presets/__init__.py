"""Manifests of systems, one file each; `examples/NAME` holds deliveries and the events that they become."""
