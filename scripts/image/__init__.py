"""The Dockerfile without a container engine: every step is run, then the container starts and stops.

Where no engine runs, this is the proof that the image would be built and would work. Each stage has an
empty /opt of its own in a throwaway folder, an empty environment, and nothing on its PATH but the system's
tools and a `python`. What the Dockerfile makes lies under /opt, so only that prefix is moved. As root, USER
is obeyed. What it cannot show is the base image itself: the system's own libraries and shell stand in for
it.
"""
